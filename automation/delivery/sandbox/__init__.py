"""A provider on this machine that speaks Postmark, Resend and Twilio, shows what it took, and fails on request."""

from automation.delivery.sandbox.app import create_app
from automation.delivery.sandbox.server import SandboxServer, serve

__all__ = ["SandboxServer", "create_app", "serve"]
