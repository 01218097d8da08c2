//! Statements of the hot path: SQL in its own words, prepared once per connection.
//!
//! `diesel::sql_query` prepares at every call, which costs half the speed of a redemption. What this
//! macro defines has a name that diesel caches by.

/// Defines a cached statement: its binds in the order of the `?` in its text, and the types of its rows.
macro_rules! statement {
    ($(#[$doc:meta])* $name:ident { $($bind:ident: $sql:ty = $rust:ty),+ $(,)? } -> $rows:ty, $text:expr) => {
        $(#[$doc])*
        pub(super) struct $name<'a> {
            $(pub $bind: &'a $rust,)+
        }

        impl diesel::query_builder::QueryFragment<diesel::pg::Pg> for $name<'_> {
            fn walk_ast<'b>(&'b self, mut out: diesel::query_builder::AstPass<'_, 'b, diesel::pg::Pg>) -> diesel::QueryResult<()> {
                let mut pieces = $text.split('?');
                out.push_sql(pieces.next().unwrap_or_default());
                $(
                    out.push_bind_param::<$sql, _>(self.$bind)?;
                    out.push_sql(pieces.next().unwrap_or_default());
                )+
                Ok(())
            }
        }

        impl diesel::query_builder::QueryId for $name<'_> {
            type QueryId = $name<'static>;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl diesel::query_builder::Query for $name<'_> {
            type SqlType = $rows;
        }

        impl diesel::RunQueryDsl<diesel::pg::PgConnection> for $name<'_> {}
    };
}

pub(super) use statement;
