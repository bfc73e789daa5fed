"""I5: no post begins after the commit of an unsubscribe, a suppression, an erasure or a pause.

The rows say when somebody decided, not when that was committed, and a writer may wait for the database as long as the
busy timeout. An import reads the clock once for all of its batches. Within these allowances nobody is accused.

Pauses by hand are in the audit log, with their ends. The others have no history: those in force are looked at. Of the
addresses that a message was posted to the row keeps the last, so suppressions are held against the last attempt.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from automation.delivery.verify.finding import PAGE, Violation, violation

COMMIT = timedelta(seconds=30)
IMPORT = timedelta(hours=1)

# CROSS JOIN keeps SQLite to this order, which goes from the ledger through primary keys whatever its statistics say.
WITHDRAWN = """SELECT DISTINCT m.message_id, m.customer_id, a.number
FROM messages m CROSS JOIN consents w CROSS JOIN attempts a
WHERE m.shard BETWEEN :first AND :last AND m.kind = 'marketing' AND m.attempts > 0
AND w.shard = m.shard AND w.customer_id = m.customer_id AND NOT w.granted
AND w.channel = m.channel AND w.topic IN (m.topic, '*')
AND a.shard = m.shard AND a.message_id = m.message_id
AND a.started_at > w.recorded_at + CASE WHEN w.basis = 'import' THEN :import ELSE :commit END
AND NOT EXISTS (SELECT 1 FROM consents g WHERE g.shard = w.shard AND g.customer_id = w.customer_id
    AND g.number > w.number AND g.granted AND g.channel = m.channel AND g.topic IN (m.topic, '*')
    AND g.recorded_at <= a.started_at)"""
SUPPRESSED = """SELECT m.message_id, m.customer_id, m.attempts AS number
FROM messages m CROSS JOIN suppressions s
WHERE m.shard BETWEEN :first AND :last AND m.status IN ('sending', 'sent', 'rejected', 'unknown')
AND s.channel = m.channel AND s.address = m.address AND m.first_used_at > s.recorded_at + :commit"""
ERASED = """SELECT m.message_id, m.customer_id, a.number
FROM messages m CROSS JOIN customers c CROSS JOIN attempts a
WHERE m.shard BETWEEN :first AND :last AND m.attempts > 0
AND c.shard = m.shard AND c.customer_id = m.customer_id AND c.erased_at IS NOT NULL
AND a.shard = m.shard AND a.message_id = m.message_id AND a.started_at > c.erased_at + :commit"""
PAUSED = """SELECT m.message_id, m.customer_id, a.number, p.scope
FROM messages m CROSS JOIN pauses p CROSS JOIN attempts a
WHERE m.shard BETWEEN :first AND :last AND m.attempts > 0
AND p.scope IN ('everything', 'playbook:' || m.playbook, 'customer:' || m.customer_id)
AND m.first_used_at > p.since + :commit
AND a.shard = m.shard AND a.message_id = m.message_id AND a.started_at > p.since + :commit
AND (p.until IS NULL OR a.started_at < p.until)"""
PAUSED_BY_HAND = """SELECT m.message_id, m.customer_id, a.number, p.about AS scope
FROM messages m CROSS JOIN audit_log p CROSS JOIN attempts a
WHERE m.shard BETWEEN :first AND :last AND m.attempts > 0 AND p.act = 'pause'
AND p.about IN ('everything', 'playbook:' || m.playbook, 'provider:' || m.provider, 'customer:' || m.customer_id)
AND m.planned_at < coalesce(p.until, m.planned_at + :commit)
AND (m.finished_at IS NULL OR m.finished_at > p.recorded_at)
AND a.shard = m.shard AND a.message_id = m.message_id
AND (p.about <> 'provider:' || m.provider OR a.provider = m.provider)
AND a.started_at > p.recorded_at + :commit AND (p.until IS NULL OR a.started_at < p.until)
AND NOT EXISTS (SELECT 1 FROM audit_log n WHERE n.about = p.about AND n.number > p.number
    AND n.act IN ('pause', 'resume') AND n.recorded_at <= a.started_at)"""
TOLD = {
    WITHDRAWN: "Attempt {number} began after the customer had withdrawn the consent.",
    SUPPRESSED: "Attempt {number} began after the address had been put on the list of those not to be written to.",
    ERASED: "Attempt {number} began after the customer had been erased.",
    PAUSED_BY_HAND: "Attempt {number} began during a pause of {scope} by hand.",
    PAUSED: "Attempt {number} began during the pause of {scope}.",
}


def forbidden_posts(connection: Connection, bound: Mapping[str, Any]) -> Iterator[Violation]:
    for sql, told in TOLD.items():
        rows = connection.execute(text(sql), bound, execution_options={"yield_per": PAGE})
        for row in rows.mappings():
            yield violation("I5", told, row)
