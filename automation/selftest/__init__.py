"""The delivery promise, put to the test on this machine: workers are killed at any instant, every message is counted.

A made-up shop in a temporary folder writes to each customer every day. Its worker is a real process that is killed
again and again by SIGKILL, at drawn instants and at named places, and followed by another. The provider is the sandbox,
whose own log says what it took. In the end that log and the database are compared.
"""

from automation.selftest.check import Finding
from automation.selftest.kills import selftest
from automation.selftest.shop import KEYED, KEYLESS

__all__ = ["KEYED", "KEYLESS", "Finding", "selftest"]
