"""I1 to I4, I8, I9 and I15 as far as one row of the ledger and its attempts tell, in one pass over the messages.

I2, I3: a row that was `unknown` may have become `sent` or `failed`, on evidence only: what a person or a look-up wrote
into the audit log, or what the provider told afterwards. A row of which nobody knows and that never was sent with a key
says so for ever: it must not end as something that reads like "never sent".

I4: a row past its deadline, or in flight past its lease, is the next dispatch's to end. So rows are judged by the work
that was done since, not by the clock: `:worked` is the newest instant of work that is at least an hour older than the
newest of all. A row that was over by then has been left lying by an hour of dispatching; after downtime, before the
first hour of work, none is. Rows that a pause holds wait beyond their deadline; the gates ask about pauses first. A row
that is put off again and again (no provider is fit) may be so for a day more: the daily run ends it.
"""

from automation.delivery.verify.finding import Rule, Scan

SOURCE = """messages m
LEFT JOIN (
    SELECT shard, message_id, count(*) AS tries, min(number) AS lowest, max(number) AS highest,
        sum(CASE WHEN reply = 'accepted' THEN 1 ELSE 0 END) AS accepted,
        min(CASE WHEN reply = 'accepted' THEN number END) AS first_accepted,
        min(CASE WHEN reply = 'unknown' THEN number END) AS first_unknown,
        max(CASE WHEN reply = 'refused' THEN number END) AS last_refused,
        max(started_at) AS last_start,
        min(CASE WHEN reply IN ('unknown', 'accepted') THEN provider END) AS one_provider,
        max(CASE WHEN reply IN ('unknown', 'accepted') THEN provider END) AS other_provider
    FROM attempts WHERE shard BETWEEN :first AND :last GROUP BY shard, message_id
) t ON t.shard = m.shard AND t.message_id = m.message_id
LEFT JOIN messages b ON b.shard = m.shard AND b.message_id = m.again_of
LEFT JOIN enrollments e ON e.shard = m.shard AND e.enrollment_id = m.enrollment_id
LEFT JOIN playbook_versions v ON v.version_id = m.version_id
LEFT JOIN offers o ON o.shard = m.shard AND o.enrollment_id = m.enrollment_id"""
OPEN = "m.status IN ('planned', 'sending')"
# A retry with the same key at the same provider is the same message; anything else may be a second one. A provider that
# certainly took nothing does not count.
REPEATABLE = "m.idempotency_key IS NOT NULL AND t.one_provider = t.other_provider"
EVIDENCE = """EXISTS (SELECT 1 FROM audit_log a WHERE a.about = 'message:' || m.message_id
    AND a.act = 'resolve ' || m.status)
    OR EXISTS (SELECT 1 FROM outcomes x WHERE x.shard = m.shard AND x.message_id = m.message_id)"""
PAUSED = """(coalesce(m.reason, '') IN ('playbook_paused', 'everything_paused', 'customer_paused')
    OR EXISTS (SELECT 1 FROM pauses p
    WHERE p.scope IN ('everything', 'playbook:' || m.playbook, 'customer:' || m.customer_id)
    AND (p.until IS NULL OR p.until > :worked)))"""

STATES = (
    Rule("I2", f"NOT ({OPEN}) AND m.finished_at IS NULL", "The row is {status} and has no time at which it ended."),
    Rule("I2", f"{OPEN} AND m.finished_at IS NOT NULL", "The row is {status} and has a time at which it ended."),
    Rule("I2", "m.status = 'sent' AND m.sent_at IS NULL", "The row is sent and does not say when."),
    Rule("I2", "m.status <> 'sent' AND m.sent_at IS NOT NULL", "The row is {status} and says when it was sent."),
    Rule("I2", "m.status = 'sending' AND m.lease_until IS NULL", "The row is in flight without a lease."),
    Rule("I2", "m.status <> 'sending' AND m.lease_until IS NOT NULL", "The row is {status} and still has a lease."),
    Rule("I2", "t.lowest < 1 OR t.highest <> t.tries", "Its attempts are not numbered 1 to {tries}."),
    Rule(
        "I2",
        "m.attempts <> coalesce(t.tries, 0)"
        " + CASE WHEN m.status = 'sending' AND m.worker IS NOT NULL THEN 1 ELSE 0 END",
        "The {status} row counts {attempts} attempts; {tries} are on record.",
    ),
    Rule("I2", f"NOT ({OPEN}) AND t.last_start > m.finished_at", "An attempt began after the row had ended."),
    Rule(
        "I2",
        "m.status = 'rejected' AND coalesce(t.last_refused, 0) <> coalesce(t.highest, -1)",
        "The row is rejected and its last attempt was not refused.",
    ),
    Rule(
        "I2",
        # What a later attempt was told, that the provider is busy for one, does not make an earlier one known.
        "m.status = 'unknown' AND t.first_unknown IS NULL",
        "The row is unknown and none of its attempts is.",
    ),
)
ACCEPTANCES = (
    Rule("I3", "t.accepted > 0 AND m.status <> 'sent'", "The provider took it, and the row is {status}."),
    Rule(
        "I3",
        "m.status = 'sent' AND coalesce(t.accepted, 0) = 0 AND t.first_unknown IS NULL",
        "The row is sent, and no attempt says that the provider took it.",
    ),
    Rule(
        "I3",
        "m.status IN ('sent', 'failed') AND coalesce(t.accepted, 0) = 0 AND t.first_unknown IS NOT NULL"
        f" AND coalesce(m.reason, '') <> 'cannot_render' AND NOT ({EVIDENCE})",
        "Nobody knew whether the provider took it, and the row is {status} without any evidence.",
    ),
    Rule(
        "I3",
        "t.accepted > 1 AND NOT m.possible_duplicate",
        "The provider took it {accepted} times, and the row is not marked as a possible duplicate.",
    ),
    Rule("I3", "t.first_accepted < t.highest", "It was posted again after the provider had taken it."),
    Rule(
        "I3",
        "m.idempotency_key IS NOT NULL AND (m.request_hash IS NULL OR m.first_used_at IS NULL)",
        "It has a key and does not say for which bytes, or since when.",
    ),
    Rule(
        "I3",
        f"t.first_unknown < t.highest AND NOT m.possible_duplicate AND NOT ({REPEATABLE})",
        "It was posted again after an uncertain attempt, and the row is not marked as a possible duplicate.",
    ),
    Rule(
        "I3",
        "t.first_unknown IS NOT NULL AND coalesce(t.accepted, 0) = 0"
        f" AND NOT ({REPEATABLE}) AND (m.status IN ('skipped', 'expired', 'canceled', 'rejected')"
        " OR (m.status = 'failed' AND m.reason = 'cannot_render'))",
        "The provider may have taken it, and the row is shown as {status} instead of unknown.",
    ),
)
COPIES = (
    Rule("orphan", "m.again_of IS NOT NULL AND b.message_id IS NULL", "It is a copy of a message that is not there."),
    Rule(
        "I1",
        "b.enrollment_id <> m.enrollment_id OR b.step <> m.step OR b.customer_id <> m.customer_id"
        " OR b.again_of IS NOT NULL",
        "It is a copy of a message to somebody else, or of another step.",
    ),
    Rule(
        "I1",
        "m.again_of IS NOT NULL AND NOT EXISTS (SELECT 1 FROM audit_log a"
        " WHERE a.about = 'message:' || m.message_id AND a.act = 'resend' AND a.actor = m.asked_by)",
        "It is a copy, and the audit log does not say who asked for it.",
    ),
)
DEADLINES = (
    Rule(
        "I4",
        f"m.status = 'planned' AND m.deadline < :worked AND m.due_at < :worked AND NOT {PAUSED}",
        "The row is still planned after its deadline, in spite of an hour of dispatching.",
    ),
    Rule(
        "I4",
        f"m.status = 'planned' AND m.deadline < :worked_yesterday AND m.due_at >= :worked AND NOT {PAUSED}",
        "The row is put off again and again, more than a day after its deadline.",
    ),
    Rule(
        "I4",
        "m.status = 'sending' AND m.lease_until < :worked",
        "The row is still in flight after its lease, in spite of an hour of dispatching.",
    ),
)
ORPHANS = (
    Rule("orphan", "e.enrollment_id IS NULL", "The message belongs to an enrollment that is not there."),
    Rule(
        "orphan",
        "e.customer_id <> m.customer_id OR e.playbook <> m.playbook",
        "The message and its enrollment name different customers or playbooks.",
    ),
)


def message_scan(dialect: str) -> Scan:
    """All rules that concern one message."""
    controls = tuple(
        Rule("I9", control(f"m.{column}", dialect), f"There is a control character in the row's {column}.")
        for column in ("address", "provider_id", "idempotency_key")
    )
    said = "json_extract(m.context, '$.offer.code')" if dialect == "sqlite" else "m.context -> 'offer' ->> 'code'"
    pinned = (
        Rule("I8", "v.version_id IS NULL", "The playbook version that it is rendered from is not kept."),
        Rule("I8", "v.playbook <> m.playbook", "It is rendered from a version of another playbook."),
        Rule(
            "I15", f"({said}) IS NOT NULL AND o.code IS NULL", "It carries an offer code that its enrollment never got."
        ),
        Rule("I15", f"({said}) <> o.code", "It carries another offer code than its enrollment's."),
    )
    columns = "m.message_id, m.customer_id, m.status, m.attempts, coalesce(t.tries, 0) AS tries, t.accepted"
    rules = (*STATES, *ACCEPTANCES, *COPIES, *DEADLINES, *ORPHANS, *pinned, *controls)
    return Scan(columns, SOURCE, "m.shard BETWEEN :first AND :last", rules)


def control(column: str, dialect: str) -> str:
    """SQL that is true of a text with a control character, or with a line or paragraph separator."""
    if dialect == "postgresql":  # which has no NUL
        return f"{column} ~ '[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]'"
    ranges = "char(1) || '-' || char(31) || char(127) || '-' || char(159) || char(8232) || char(8233)"
    return f"({column} GLOB '*[' || {ranges} || ']*' OR instr({column}, char(0)) > 0)"
