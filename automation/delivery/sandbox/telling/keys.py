"""The sandbox's own keys, made from what stands here: no secrets, so whoever trusts them must be on this machine."""

from base64 import b64encode
from datetime import UTC, datetime
from functools import cache
from hashlib import shake_256

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
    rsa_recover_private_exponent,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

SEED = b"sandbox"
EXPONENT = 65_537
# How far the first prime lies behind what each seed gives.
PRIMES = {b"sandbox, first prime": 420, b"sandbox, second prime": 1202}
TOPIC = "arn:aws:sns:us-east-1:000000000000:sandbox"
SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)


@cache
def curve_key() -> EllipticCurvePrivateKey:
    """SendGrid's."""
    return derive_private_key(int.from_bytes(shake_256(SEED).digest(31)), SECP256R1())


@cache
def edwards_key() -> Ed25519PrivateKey:
    """Telnyx's."""
    return Ed25519PrivateKey.from_private_bytes(shake_256(SEED).digest(32))


@cache
def rsa_key() -> RSAPrivateKey:
    """That of Amazon's topics."""
    p, q = (int.from_bytes(shake_256(seed).digest(128)) | 3 << 1022 | 1 for seed in PRIMES)
    p, q = (prime + far for prime, far in zip((p, q), PRIMES.values(), strict=True))
    d = rsa_recover_private_exponent(EXPONENT, p, q)
    parts = (rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), rsa_crt_iqmp(p, q))
    return RSAPrivateNumbers(p, q, d, *parts, RSAPublicNumbers(EXPONENT, p * q)).private_key()


@cache
def certificate() -> bytes:
    """Of the key of Amazon's topics, as PEM; the same each time."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    builder = x509.CertificateBuilder(name, name, rsa_key().public_key(), 1, SINCE, UNTIL)
    return builder.sign(rsa_key(), SHA256()).public_bytes(Encoding.PEM)


@cache
def public_keys() -> dict[str, str]:
    """What checks a vendor's calls and is no secret: `webhook_key`, by the kind of provider."""
    curve = curve_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    edwards = edwards_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {
        "aws_sms": TOPIC,
        "sendgrid": b64encode(curve).decode(),
        "ses": TOPIC,
        "telnyx": b64encode(edwards).decode(),
    }
