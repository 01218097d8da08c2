//! Sign-in, attacked in the database: whatever the code does, a session has a role, a session one good token, an
//! invitation an end.

use souche::domain::Role;

use crate::support::World;

#[test]
fn a_session_is_of_a_role_and_has_one_good_token() {
    let world = World::lived();
    let mut service = world.service();
    let programme = world.region.programme;
    let user = world.region.auditor.user;
    let session = |user: &str| {
        format!(
            "INSERT INTO sessions (id, programme_id, user_id, role_version, opened_at, used_at, expires_at)
             VALUES ('00000000-0000-7000-8000-000000000001', {programme}, '{user}', 1, now(), now(), now() + interval '1 hour')"
        )
    };
    service.run(&session(&user.to_string()));
    let nobody = session("00000000-0000-7000-8000-00000000dead").replace("0001'", "0002'");
    assert_eq!(service.refused(&nobody), "foreign key session_is_of_a_membership");
    let token = |byte: &str| {
        format!(
            "INSERT INTO refresh_tokens (token_hash, session_id, issued_at)
             VALUES (decode(repeat('{byte}', 32), 'hex'), '00000000-0000-7000-8000-000000000001', now())"
        )
    };
    service.run(&token("01"));
    assert_eq!(service.refused(&token("02")), "unique one_good_token_per_session");
}

#[test]
fn an_invitation_lasts_three_days_and_is_answered_once() {
    let world = World::lived();
    let mut service = world.service();
    let user = world.region.auditor.user;
    let by = world.region.admin.user;
    let lasting = |hours: i32| {
        format!(
            "INSERT INTO invitations (id, token_hash, email, role, invited_by, invited_at, expires_at)
             VALUES (gen_random_uuid(), decode(repeat('0{hours}', 32), 'hex'), 'x@exemple.fr', 'auditor', '{by}',
                     now(), now() + {hours} * interval '12 hours')"
        )
    };
    service.would_take(&lasting(6));
    assert_eq!(service.refused(&lasting(7)), "check invitation_ends");
    let accept =
        |user| format!("UPDATE invitations SET accepted_by = '{user}', accepted_at = invited_at");
    service.would_take(&accept(user));
    assert_eq!(service.refused(&accept(by)), "check nobody_invites_himself");
    let late = "UPDATE invitations SET accepted_at = expires_at, accepted_by = (SELECT id FROM users WHERE email LIKE 'auditor%' LIMIT 1)";
    assert_eq!(service.refused(late), "check accepted_in_time");
    assert!(world.region.invites("manager.sat@exemple.fr", Role::Auditor).is_err());
}
