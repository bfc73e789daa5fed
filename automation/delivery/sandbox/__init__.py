"""A provider on this machine that speaks for every vendor, shows what it took, fails on request, and tells back."""

from automation.delivery.sandbox.app import create_app
from automation.delivery.sandbox.server import SandboxServer, serve

__all__ = ["SandboxServer", "create_app", "serve"]
