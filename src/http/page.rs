//! Lists come in pages, each found by the last key of the one before.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Problem;
use crate::domain::Refusal;

/// Rows of a page when none are asked for.
const DEFAULT_LIMIT: i64 = 50;
/// Most rows of a page.
const MAX_LIMIT: i64 = 200;

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// `next` of the page before; the first page without it.
    pub after: Option<String>,
    /// Rows of the page, 1 to 200; 50 when left out.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// What to send as `after` for the next page; null on the last.
    pub next: Option<String>,
}

impl PageQuery {
    /// Rows asked for.
    pub fn limit(&self) -> Result<i64, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if (1..=MAX_LIMIT).contains(&limit) {
            Ok(limit)
        } else {
            Err(Refusal::invalid("limit", "un nombre de 1 à 200 est attendu").into())
        }
    }

    /// The key after which the page begins.
    pub fn after<K: FromStr<Err = String>>(&self, first: K) -> Result<K, Problem> {
        match &self.after {
            None => Ok(first),
            Some(text) => {
                text.parse().map_err(|rule: String| Refusal::invalid("after", rule).into())
            }
        }
    }

    /// The same, as written.
    pub fn after_text(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

impl<T> Page<T> {
    /// Rows, and the key of each.
    pub fn new<R: Into<T>>(rows: Vec<R>, limit: i64, key: impl Fn(&R) -> String) -> Self {
        let is_full = usize::try_from(limit).is_ok_and(|limit| rows.len() >= limit);
        let next = rows.last().filter(|_| is_full).map(key);
        Self { items: rows.into_iter().map(Into::into).collect(), next }
    }
}
