"""What vendors tell us afterwards, one small file each: a call is genuine or not, and tells events."""

from automation.delivery.hooks.bird import Bird
from automation.delivery.hooks.hook import Event, Hook, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.messagebird import MessageBird
from automation.delivery.hooks.plivo import Plivo
from automation.delivery.hooks.postmark import Postmark
from automation.delivery.hooks.resend import Resend
from automation.delivery.hooks.sinch import Sinch
from automation.delivery.hooks.telnyx import Telnyx
from automation.delivery.hooks.twilio import Twilio
from automation.delivery.hooks.vonage import Vonage

__all__ = ["HOOKS", "Event", "Hook", "HookCall", "HookKey", "InboundText", "Outcome", "Told"]

HOOKS: dict[str, Hook] = {
    "bird": Bird(),
    "messagebird": MessageBird(),
    "plivo": Plivo(),
    "postmark": Postmark(),
    "resend": Resend(),
    "sinch": Sinch(),
    "telnyx": Telnyx(),
    "twilio": Twilio(),
    "vonage": Vonage(),
}
