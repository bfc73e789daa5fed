"""What happens on a day, drawn from the seed, and the world's own record of who was not to be written to any more."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from simulator.happening import Time
from simulator.people import PLACES, Person, newcomer
from simulator.staff import Act, Noting, Staff, nothing
from sqlalchemy import Connection, select, update

from automation.customers.consent import record_consent
from automation.customers.load import import_customers, import_events
from automation.customers.suppress import suppress_address, withdraw_consent
from automation.database.brake import pull_brake
from automation.database.engine import Database
from automation.database.schema import customers, messages, shard_of

TOPICS = ("offers", "surveys", "news")
HUNTED = 0.8


@dataclass
class World:
    """The customers. Every act commits, and returns what is known once it has."""

    database: Database
    folder: Path
    time: Time
    chance: Random
    staff: Staff
    people: dict[str, Person] = field(default_factory=dict)
    suppressed: dict[tuple[str, str], int] = field(default_factory=dict)
    _events: int = 0

    def acts(self) -> Iterator[Act]:
        """What happens today."""
        chance = self.chance
        if len(self.people) < 32 and chance.random() < 0.3:
            yield self.arrive
        for act, likely in self._likely.items():
            while chance.random() < likely:
                yield act

    @property
    def _likely(self) -> dict[Act, float]:
        return {
            self.order: 0.5,
            self.answer: 0.15,
            self.unsubscribe: 0.15,
            self.suppress: 0.05,
            self.agree: 0.12,
            self.told_by_file: 0.1,
            self.change_address: 0.1,
            self.erase: 0.01,
            self.staff.pause: 0.08,
            self.staff.resume: 0.25,
            self.staff.resolve: 0.3,
            self.staff.load_codes: 0.05,
            self.staff.resend: 0.3,
        }

    def arrive(self) -> Noting:
        rows = []
        for _ in range(self.chance.randint(1, 6)):
            row, zones = newcomer(
                len(self.people) + 1, self.chance, self.time.machine - timedelta(hours=self.chance.randint(0, 30))
            )
            by_number = not row.keys() & {"timezone", "country"}
            person = self.people[row["customer_id"]] = Person(row["customer_id"], by_number)
            person.zones.append((self.time.next(), tuple(map(ZoneInfo, zones))))
            self._note_file(person, row, yes=True)
            rows.append(row)
        self._import(import_customers, rows)
        return nothing

    def order(self) -> Noting:
        return self._happen("Order", {"revenue": self.chance.randint(5, 90)})

    def answer(self) -> Noting:
        return self._happen("Survey", {"nps": self.chance.randint(0, 10)})

    def _happen(self, name: str, properties: dict[str, Any]) -> Noting:
        """Some events: most of today, some told late, now and then one from tomorrow, or told twice."""
        rows: list[dict[str, Any]] = []
        for person in self._some(self.chance.randint(1, 7)):
            hours = self.chance.choice((1, 1, 1, 5, 30, 80, -20))
            self._events += self.chance.random() < 0.9
            at = (self.time.machine - timedelta(hours=hours)).isoformat()
            row = {"event_id": f"e{self._events}", "event": name, "customer_id": person.customer_id, "ts": at}
            rows.append({**row, "properties": properties})
        self._import(import_events, rows)
        return nothing

    def unsubscribe(self) -> Noting:
        """From everything of a channel, or from one topic."""
        person, channel = self._just_written_to(), self.chance.choice(("email", "email", "sms"))
        topic = "*" if self.chance.random() < 0.7 else self.chance.choice(TOPICS)
        with self.database.writing() as connection:
            if topic == "*":
                shard = shard_of(person.customer_id)
                withdraw_consent(connection, shard, person.customer_id, channel, "page", "customer", self.time.clock())
            else:
                self._consent(connection, person, channel, topic, granted=False)
        return lambda: person.said.append((self.time.next(), channel, topic, False))

    def agree(self) -> Noting:
        """A consent comes back, by the customer's own act."""
        person, channel = self._one(), self.chance.choice(("email", "sms"))
        topic = self.chance.choice(("*", *TOPICS))
        person.said.append((self.time.next(), channel, topic, True))
        with self.database.writing() as connection:
            self._consent(connection, person, channel, topic, granted=True)
        return nothing

    def _consent(self, connection: Connection, person: Person, channel: str, topic: str, *, granted: bool) -> None:
        shard, customer_id = shard_of(person.customer_id), person.customer_id
        said: dict[str, Any] = {"channel": channel, "topic": topic, "granted": granted, "basis": "page"}
        record_consent(connection, shard, customer_id, self.time.clock(), **said, source="page", actor="customer")

    def told_by_file(self) -> Noting:
        """An import says yes or no to a channel."""
        person, channel = self._one(), self.chance.choice(("email", "sms"))
        row = {"customer_id": person.customer_id, f"{channel}_consent": self.chance.random() < 0.5}
        self._note_file(person, row, yes=True)
        self._import(import_customers, [row])
        return lambda: self._note_file(person, row, yes=False)

    def _note_file(self, person: Person, row: dict[str, Any], *, yes: bool) -> None:
        for channel in ("email", "sms"):
            told = row.get(f"{channel}_consent")
            known = any(of == channel for _, of, _, _ in person.said)
            if told is yes and (not known if yes else person.stands(channel)):
                person.said.append((self.time.next(), channel, "*", yes))

    def suppress(self) -> Noting:
        person = self._just_written_to()
        found = select(customers.c.email, customers.c.phone).where(customers.c.customer_id == person.customer_id)
        with self.database.writing() as connection:
            email, phone = connection.execute(found.where(customers.c.shard == shard_of(person.customer_id))).one()
            channel, address = self.chance.choice((("email", email), ("sms", phone)))
            if address is None:
                return nothing
            suppress_address(connection, channel, address, "complained", "staff", self.time.clock())
        return lambda: self._note_suppressed(channel, address)

    def _note_suppressed(self, channel: str, address: str) -> None:
        self.suppressed.setdefault((channel, address), self.time.next())

    def change_address(self) -> Noting:
        person = self._one()
        number = self.chance.randint(1000, 9999)
        changed = self.chance.choice(({"email": f"x{number}@example.com"}, {"phone": f"+39340000{number}"}))
        if "phone" in changed and person.by_number:
            return nothing  # it tells the country
        self._import(import_customers, [{"customer_id": person.customer_id, **changed}])
        return nothing

    def move(self) -> Noting:
        """To another zone. Not in the middle of a dispatch: what was decided an instant before was right then."""
        person = self._one()
        place, zones = self.chance.choice([one for one in PLACES if "timezone" in one[0]])
        self._import(import_customers, [{"customer_id": person.customer_id, "timezone": place["timezone"]}])
        person.zones.append((self.time.next(), tuple(map(ZoneInfo, zones))))
        person.has_moved = True
        return nothing

    def erase(self) -> Noting:
        person = self._one()
        mine = (customers.c.shard == shard_of(person.customer_id), customers.c.customer_id == person.customer_id)
        with self.database.writing() as connection:
            connection.execute(update(customers).where(*mine).values(erased_at=self.time.clock()))
            pull_brake(connection)
        return lambda: setattr(person, "erased", person.erased or self.time.next())

    def _one(self) -> Person:
        return self.people[self.chance.choice(list(self.people))]

    def _just_written_to(self) -> Person:
        """Somebody whose message is in flight, if there is one: that is when it matters."""
        flying = select(messages.c.customer_id).where(messages.c.status == "sending").order_by(messages.c.message_id)
        with self.database.reading() as connection:
            found = connection.execute(flying).scalars().all()
        return self.people[self.chance.choice(found)] if found and self.chance.random() < HUNTED else self._one()

    def _some(self, count: int) -> list[Person]:
        return [self._one() for _ in range(count)]

    def _import(self, load: Any, rows: list[dict[str, Any]]) -> None:
        path = self.folder / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        load(self.database, path, self.time.clock())
