"""Where customers stand, and how they move."""

from shop import Shop, playbook

DAY1, DAY2, DAY3 = "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z", "2026-03-03T06:00:00Z"


def test_a_customer_stands_in_the_last_stage_whose_rule_holds(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.customers("ada", "bob", "cem", "dua")
    shop.orders("bob", "2026-02-20T10:00:00Z")
    shop.orders("cem", "2026-02-20T10:00:00Z", "2026-02-21T10:00:00Z", "2026-02-22T10:00:00Z")
    shop.orders("dua", "2025-11-01T10:00:00Z")
    told = shop.evaluate(DAY1)
    assert told["stages"] == {"new": 1, "buyer": 1, "regular": 1, "gone": 1}
    assert (told["customers"], told["changes"]) == (4, 4)


def test_skipping_and_bouncing_back_are_recorded_as_they_happen(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    shop.orders("ada", "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z", "2026-03-01T12:00:00Z")
    shop.orders("bob", "2025-12-01T10:00:00Z")
    shop.evaluate(DAY2)
    shop.orders("bob", "2026-03-02T10:00:00Z")
    shop.evaluate(DAY3)
    assert shop.moves() == [
        ("ada", "2026-03-01", None, "new", "first"),
        ("ada", "2026-03-02", "new", "regular", "skip"),
        ("bob", "2026-03-01", None, "new", "first"),
        ("bob", "2026-03-02", "new", "gone", "skip"),
        ("bob", "2026-03-03", "gone", "buyer", "back"),
    ]


def test_time_alone_moves_a_customer_and_the_first_minute_of_the_local_day_counts(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.customers("ada")
    shop.orders("ada", "2026-01-01T12:00:00Z")
    # 60 days after 2026-01-01 is 2026-03-02; `> 60` holds from midnight in Rome on 2026-03-03.
    shop.evaluate("2026-03-02T22:30:00Z")
    assert shop.moves()[-1][3] == "buyer"
    shop.evaluate("2026-03-02T23:30:00Z")
    assert shop.moves()[-1] == ("ada", "2026-03-03", "buyer", "gone", "skip")


def test_the_same_date_a_second_time_adds_nothing(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada", "bob")
    first = shop.evaluate(DAY1)
    before = (shop.moves(), shop.passages(), shop.statuses())
    shop.orders("ada", "2026-03-01T05:00:00Z")
    second = shop.evaluate("2026-03-01T15:00:00Z")
    assert (first["changes"], first["planned"], second["changes"], second["planned"]) == (2, 2, 0, 0)
    assert second["stages"] == first["stages"]
    assert (shop.moves(), shop.passages(), shop.statuses()) == before
