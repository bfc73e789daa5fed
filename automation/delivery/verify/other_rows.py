"""What must hold in the tables around the ledger: who belongs to whom, codes, the history of stages, and the runs.

The history of stages is read by day. A run of a date before the newest one (`evaluate --now` in the past) writes a
change that does not fit between its neighbors, and is told here.
"""

from automation.database.schema import SHARDS
from automation.delivery.verify.finding import Rule, Scan
from automation.delivery.verify.ledger_rows import control

OF_PART = "{0}.shard BETWEEN :first AND :last"
TWICE = (
    Scan(
        "enrollment_id, step, times, at_once",
        "(SELECT shard, enrollment_id, step, sum(CASE WHEN again_of IS NULL THEN 1 ELSE 0 END) AS times,"
        " sum(CASE WHEN again_of IS NOT NULL AND status IN ('planned', 'sending') THEN 1 ELSE 0 END) AS at_once"
        " FROM messages WHERE shard BETWEEN :first AND :last GROUP BY shard, enrollment_id, step) m",
        "times <> 1 OR at_once > 1",
        (
            Rule("I1", "times > 1", "The enrollment has {times} rows for its step {step}."),
            Rule("I1", "times = 0", "The enrollment has copies of its step {step}, and not the message itself."),
            Rule("I1", "at_once > 1", "{at_once} copies of the step {step} are to be sent at once."),
        ),
    ),
    Scan(
        "customer_id, playbook, times",
        "(SELECT shard, customer_id, playbook, count(*) AS times FROM enrollments"
        " WHERE shard BETWEEN :first AND :last AND exited_at IS NULL GROUP BY shard, customer_id, playbook) e",
        "times > 1",
        (Rule("I1", "times > 1", "The customer is in the playbook {times} times at once."),),
    ),
)
ORPHANS = (
    Scan(
        "a.message_id, a.number",
        "attempts a LEFT JOIN messages m ON m.shard = a.shard AND m.message_id = a.message_id",
        OF_PART.format("a"),
        (Rule("orphan", "m.message_id IS NULL", "Attempt {number} belongs to a message that is not there."),),
    ),
    Scan(
        "o.message_id, o.outcome",
        "outcomes o LEFT JOIN messages m ON m.shard = o.shard AND m.message_id = o.message_id",
        OF_PART.format("o"),
        (
            Rule("orphan", "m.message_id IS NULL", "An outcome ({outcome}) belongs to a message that is not there."),
            Rule("I12", "m.attempts = 0", "It has an outcome ({outcome}) and never was posted."),
        ),
    ),
    Scan(
        "e.enrollment_id, e.customer_id",
        "enrollments e LEFT JOIN customers c ON c.shard = e.shard AND c.customer_id = e.customer_id",
        OF_PART.format("e"),
        (Rule("orphan", "c.customer_id IS NULL", "The enrollment belongs to a customer who is not there."),),
    ),
    Scan(
        "o.enrollment_id, o.pool",
        "offers o LEFT JOIN enrollments e ON e.shard = o.shard AND e.enrollment_id = o.enrollment_id",
        OF_PART.format("o"),
        (
            Rule("orphan", "e.enrollment_id IS NULL", "An offer code belongs to an enrollment that is not there."),
            Rule(
                "I15",
                "o.assigned_at IS NULL OR o.expires_at IS NULL",
                "Its offer code does not say since or until when.",
            ),
        ),
    ),
)
PASSAGES = Scan(
    "e.enrollment_id, e.customer_id, e.playbook, e.next_step, coalesce(m.steps, 0) AS steps,"
    " coalesce(m.waiting, 0) AS waiting",
    "enrollments e LEFT JOIN (SELECT shard, enrollment_id, count(*) AS steps,"
    " sum(CASE WHEN status IN ('planned', 'sending') THEN 1 ELSE 0 END) AS waiting"
    " FROM messages WHERE shard BETWEEN :first AND :last AND again_of IS NULL GROUP BY shard, enrollment_id) m"
    " ON m.shard = e.shard AND m.enrollment_id = e.enrollment_id",
    OF_PART.format("e"),
    (
        Rule(
            "I4",
            "coalesce(m.steps, 0) < e.next_step + CASE WHEN e.exited_at IS NULL THEN 1 ELSE 0 END",
            "The passage is past {next_step} steps, and only {steps} messages of it are there.",
        ),
        Rule(
            "I4",
            "e.exited_at IS NULL AND coalesce(m.waiting, 0) <> 1",
            "The passage goes on, and {waiting} of its messages are still to end.",
        ),
        Rule("I4", "coalesce(m.waiting, 0) > 1", "{waiting} messages of one passage are still to end."),
    ),
)
TWINS = Scan(
    "o.enrollment_id, o.pool, twin.enrollment_id AS holder, twin.pool AS other_pool",
    "offers o CROSS JOIN (SELECT DISTINCT pool FROM offers) p CROSS JOIN offers twin",
    "o.enrollment_id IS NOT NULL AND p.pool > o.pool AND twin.pool = p.pool AND twin.code = o.code",
    (
        Rule(
            "I15",
            "twin.shard <> o.shard OR twin.enrollment_id <> o.enrollment_id",
            "Its offer code was given to enrollment {holder} too, from the pool {other_pool}.",
        ),
    ),
)
HISTORY = Scan(
    "s.customer_id, s.day, s.from_stage, s.to_stage, s.previous",
    "(SELECT shard, customer_id, day, from_stage, to_stage, lag(to_stage) OVER"
    " (PARTITION BY shard, customer_id ORDER BY day) AS previous FROM stage_changes"
    " WHERE shard BETWEEN :first AND :last) s",
    OF_PART.format("s"),
    (
        Rule(
            "history",
            "coalesce(s.from_stage, '') <> coalesce(s.previous, '')",
            "The change of {day} leaves the stage {from_stage}, but the one before led to {previous}.",
        ),
        Rule("history", "s.from_stage = s.to_stage", "The change of {day} changes nothing."),
    ),
)
STANDING = Scan(
    "f.customer_id, f.stage, n.to_stage",
    "facts f LEFT JOIN (SELECT shard, customer_id, to_stage, row_number() OVER"
    " (PARTITION BY shard, customer_id ORDER BY day DESC) AS place FROM stage_changes"
    " WHERE shard BETWEEN :first AND :last) n ON n.shard = f.shard AND n.customer_id = f.customer_id AND n.place = 1",
    OF_PART.format("f"),
    (
        Rule(
            "history",
            "coalesce(f.stage, '') <> coalesce(n.to_stage, '')",
            "The customer stands in {stage}, but the newest change led to {to_stage}.",
        ),
    ),
)
RUNS = Scan(
    "r.date, r.shards, r.unfinished",
    "(SELECT runs.date, runs.status, sum(p.last_shard - p.first_shard + 1) AS shards,"
    " sum(CASE WHEN p.finished_at IS NULL THEN 1 ELSE 0 END) AS unfinished"
    " FROM runs JOIN run_parts p ON p.date = runs.date GROUP BY runs.date, runs.status) r",
    "r.status = 'done'",
    (
        Rule("runs", "r.unfinished > 0", "The run is done, but {unfinished} of its parts are not."),
        Rule("runs", f"r.shards <> {SHARDS}", f"The run's parts cover {{shards}} shards of {SHARDS}."),
    ),
)

BROKEN_OFF = Scan(
    "r.date",
    "runs r",
    "r.status = 'running'",
    (
        Rule(
            "runs",
            "EXISTS (SELECT 1 FROM runs n WHERE n.date > r.date AND n.status = 'done')",
            "The run was never finished, and one of a later date is done.",
        ),
    ),
)


def customer_scan(dialect: str) -> Scan:
    """Control characters in what is put into headers and numbers."""
    told = "There is a control character in the customer's "
    columns = ("customer_id", "email", "phone", "locale", "timezone", "country")
    rules = tuple(Rule("I9", control(f"c.{column}", dialect), f"{told}{column}.") for column in columns)
    return Scan("c.customer_id", "customers c", OF_PART.format("c"), rules)


def whole_scans(dialect: str) -> tuple[Scan, ...]:
    """Those of tables that are not divided into shards."""
    bad = Rule("I9", control("o.code", dialect), "There is a control character in a code of the pool.")
    return (RUNS, BROKEN_OFF, TWINS, Scan("o.pool, o.enrollment_id", "offers o", "o.code IS NOT NULL", (bad,)))
