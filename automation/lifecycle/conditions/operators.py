"""The comparison operators, which mean the same between Python values and between SQL expressions."""

import operator
from collections.abc import Callable
from typing import Any

ORDER: dict[str, Callable[..., Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
