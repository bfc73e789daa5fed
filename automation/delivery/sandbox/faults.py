"""Troubles the sandbox makes on request, first in, first out. troubles.py carries them out."""

from collections import Counter, deque
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from automation.delivery.sandbox.vendors import VENDORS

OneLine = Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=200)]
KINDS = [one.kind for one in VENDORS]
REDIRECT = 300
SUCCESS = 200


def _kind(text: str) -> str:
    if text not in KINDS:
        raise ValueError(f"the sandbox speaks for {', '.join(KINDS)}")
    return text


Kind = Annotated[str, AfterValidator(_kind)]


class Fault(BaseModel):
    """One kind of trouble for the next `times` requests to send, or with `asked` for those to look something up.

    `answer`: this status, with the vendor's own error body or, given `body`, that text as `type`; a 2xx is empty.
    `hang`: seconds before the answer. `cut`: the connection ends without an answer, before the messages are taken or
    after, or half-way through a good answer. `taken` overrides whether the messages are kept; by default they are,
    unless the answer is no 2xx or the cut comes before.

    `garble`: a good answer tells of one message less or more than there were, or of each in another one's place.
    `flood`: so many bytes of body, which with `gzip` are the result of unpacking it. `drip`: seconds between two bytes
    of the answer, its head included unless `head` is false.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind | None = None
    asked: Literal["send", "look_up"] = "send"
    answer: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: OneLine | None = None
    body: str | None = None
    type: OneLine = "text/html"
    hang: Annotated[float, Field(ge=0, le=600)] = 0
    cut: Literal["before", "half", "after"] | None = None
    garble: Literal["fewer", "more", "turned"] | None = None
    flood: Annotated[int, Field(ge=0, le=10_000_000_000)] = 0
    gzip: bool = False
    drip: Annotated[float, Field(ge=0, le=60)] = 0
    head: bool = True
    taken: bool | None = None
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @model_validator(mode="after")
    def _one_trouble(self) -> "Fault":
        if self.answer and self.cut:
            raise ValueError("choose either an answer or a cut")
        if not (self.answer or self.cut or self.hang or self.garble or self.flood or self.drip):
            raise ValueError("give an answer, a cut, a hang, a garble, a flood or a drip")
        return self

    @property
    def takes(self) -> bool:
        if self.taken is not None:
            return self.taken
        return self.cut != "before" and (self.answer is None or self.answer < REDIRECT)


class Faults:
    """The queue. A fault for one kind of provider waits until that one is asked. `seen` counts what was asked."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque()
        self.seen: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        self._queue.append(fault)

    def clear(self) -> None:
        self._queue.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [fault.model_dump(exclude_defaults=True) for fault in self._queue]

    def next(self, kind: str, asked: str = "send") -> Fault | None:
        self.seen[f"{kind} {asked}"] += 1
        for place, fault in enumerate(self._queue):
            if fault.kind in {None, kind} and fault.asked == asked:
                if fault.times > 1:
                    self._queue[place] = fault.model_copy(update={"times": fault.times - 1})
                else:
                    del self._queue[place]
                return fault
        return None
