"""What vendors tell us afterwards, one small file each: a call is genuine or not, and tells events."""

from automation.delivery.hooks.aws_sms import AwsSms
from automation.delivery.hooks.bird import Bird
from automation.delivery.hooks.brevo import Brevo
from automation.delivery.hooks.hook import Event, Hook, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.mailgun import Mailgun
from automation.delivery.hooks.mailjet import Mailjet
from automation.delivery.hooks.messagebird import MessageBird
from automation.delivery.hooks.plivo import Plivo
from automation.delivery.hooks.postmark import Postmark
from automation.delivery.hooks.resend import Resend
from automation.delivery.hooks.sendgrid import SendGrid
from automation.delivery.hooks.ses import Ses
from automation.delivery.hooks.sinch import Sinch
from automation.delivery.hooks.telnyx import Telnyx
from automation.delivery.hooks.twilio import Twilio
from automation.delivery.hooks.vonage import Vonage

__all__ = ["HOOKS", "Event", "Hook", "HookCall", "HookKey", "InboundText", "Outcome", "Told"]

HOOKS: dict[str, Hook] = {
    "aws_sms": AwsSms(),
    "bird": Bird(),
    "brevo": Brevo(),
    "mailgun": Mailgun(),
    "mailjet": Mailjet(),
    "messagebird": MessageBird(),
    "plivo": Plivo(),
    "postmark": Postmark(),
    "resend": Resend(),
    "sendgrid": SendGrid(),
    "ses": Ses(),
    "sinch": Sinch(),
    "telnyx": Telnyx(),
    "twilio": Twilio(),
    "vonage": Vonage(),
}
