"""A section of config.toml for each provider."""

from datetime import timedelta
from typing import Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from automation.settings.sections import LOOPBACK, Channel, Section
from automation.values import Duration, Rate, RateText

EmailKind = Literal["brevo", "mailgun", "mailjet", "mailpit", "postmark", "resend", "sendgrid", "ses"]
SmsKind = Literal["aws_sms", "bird", "messagebird", "plivo", "sinch", "telnyx", "twilio", "vonage"]


class Provider(Section):
    kind: Literal[EmailKind, SmsKind]
    base_url: str | None = Field(None, description="every provider's base URL can be replaced")
    rate: RateText = Rate(50, timedelta(seconds=1))
    concurrency: int = Field(32, ge=1, le=1000)
    batch: int = Field(500, ge=1, le=2000, description="where the provider takes complete messages in one call")
    timeout: Duration = timedelta(seconds=30)
    on_unknown: Literal["hold", "resend"] = "hold"
    account: str | None = Field(None, description="the public half of the credentials, where there are two")
    domain: str | None = Field(None, description="Mailgun's sending domain")
    region: str | None = Field(None, description="the vendor's region, where its address names one: eu-west-1")
    messaging_service: str | None = Field(None, description="what sends instead of one number")
    stream: str | None = Field(None, description="Postmark's message stream for marketing; default broadcast")
    configuration_set: str | None = Field(None, description="of AWS: where its events go")
    token: SecretStr | None = Field(None, description="the provider's secret, from the environment")
    webhook_secret: SecretStr | None = Field(None, description="what its calls are checked with, from the environment")
    webhook_key: str | None = Field(None, description="likewise, where it is a public key or a topic's name")
    answers_help: bool | None = Field(
        None, description="whether the vendor answers HELP itself; by default to numbers of the US and Canada"
    )
    session_token: SecretStr | None = Field(None, description="of temporary AWS credentials, from the environment")

    @field_validator("base_url")
    @classmethod
    def _a_url(cls, url: str | None) -> str | None:
        if url is not None and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
            raise ValueError(f'"{url}" is no base URL; write one like https://api.example.com')
        return url

    @property
    def channel(self) -> Channel:
        return "sms" if self.kind in get_args(SmsKind) else "email"

    @property
    def is_loopback(self) -> bool:
        if self.base_url is None:
            return self.kind == "mailpit"  # its own address is on this machine
        return urlsplit(self.base_url).hostname in LOOPBACK


def sandbox_providers() -> dict[str, Provider]:
    base_url = "http://127.0.0.1:8025"
    return {
        "sandbox_email": Provider(kind="postmark", base_url=base_url),
        "sandbox_sms": Provider(kind="twilio", base_url=base_url, batch=1),
    }
