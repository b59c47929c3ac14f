"""The protocol: what is sent to a provider, and what makes us believe what comes back. OpenID Connect Core 1.0 by authorization code
(section 3.1) with PKCE (RFC 7636), the issuer in the answer (RFC 9207), Discovery 1.0, RP-Initiated Logout 1.0. By Authlib; every
request goes out by `fetching`, in bounded time.

It knows no database. Neither a code, a token, a secret nor a subject may ever stand in a log or an error.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import structlog
from authlib.common.security import generate_token
from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from stockpile.errors import NotSignedIn, StockpileError
from stockpile.fetching import Reply, Unreachable, request
from stockpile.sentences import sentence
from stockpile.single_sign_on.providers import Provider, safe_address

log = structlog.get_logger("stockpile.single_sign_on")

PATIENCE = 10.0
"""Seconds that a provider has for an answer."""
LONGEST = 1 << 20
FRESH = 3600.0
"""Seconds for which its addresses and keys are kept; a key not among them is asked for at once."""
SILENT = 5.0
"""Seconds for which one that gave no answer is not asked again, so that nobody waits for it in line."""
LEEWAY = 60
"""Seconds by which its clock may differ from ours."""

AT_ONCE = 4
"""Requests to providers at the same moment, in each process: one that does not answer keeps nobody from signing in by password."""
_asking = threading.BoundedSemaphore(AT_ONCE)

ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""By keys of the provider's own: a token that is signed by nothing, or by what the client shares with it, is believed by nobody."""
USUAL = ("RS256",)
"""What a provider that says nothing signs by (Core, section 2)."""

SCOPE = "openid profile"
LONGEST_SUBJECT = 255
LONGEST_CALLED = 200
NAMES = ("name", "preferred_username", "nickname", "email")


class ProviderUnavailable(StockpileError):
    """A provider gave no answer, or none that can be used."""

    title = sentence("The provider does not answer")


class NotVouched(NotSignedIn):
    """What came back from a provider vouches for nobody."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a provider says of itself (Discovery, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    algorithms: tuple[str, ...]
    client_authentication: str
    names_itself: bool
    """In its answers (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What somebody is sent to a provider with; `state`, `nonce` and `verifier` are drawn for this once."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """For whom a provider vouches: its key of the account, and what it calls them."""

    subject: str
    called: str


@dataclass(slots=True)
class _Known:
    """What this process knows of a provider for a while; or until when it is not asked again, since it gave no answer."""

    until: float = 0.0
    metadata: Metadata | None = None
    keys: KeySet | None = None
    silent_until: float = 0.0


_known: dict[str, _Known] = {}


def send_to(provider: Provider, back: str, anew: bool) -> Sent:
    """Where somebody is sent to sign in, and what must come back. `anew`: the provider asks who it is although somebody is signed in
    there already. Raises ProviderUnavailable.
    """
    metadata = metadata_of(provider)
    nonce, verifier = generate_token(43), generate_token(64)
    more = {"prompt": "login"} if anew else {}
    if provider.acr:
        more["acr_values"] = " ".join(provider.acr)
    url, state = _client(provider, None, metadata, back).create_authorization_url(
        metadata.authorization_endpoint, state=generate_token(43), nonce=nonce, code_verifier=verifier, **more
    )
    return Sent(url, state, nonce, verifier)


def vouched_for(
    provider: Provider, secret: str | None, answered: Mapping[str, str], nonce: str, verifier: str, back: str
) -> Vouched:
    """For whom the provider vouches by the answer with which it sent somebody back; `answered` are its parameters, the state checked
    before.

    Raises NotVouched, ProviderUnavailable.
    """
    metadata = metadata_of(provider)
    if answered.get("iss", provider.issuer) != provider.issuer or (metadata.names_itself and "iss" not in answered):
        raise _refused(provider, "the answer names another issuer, or none")
    if "error" in answered or not answered.get("code"):
        raise _refused(provider, "the provider answered with an error, or without a code")
    client = _client(provider, secret, metadata, back)
    try:
        token = client.fetch_token(
            metadata.token_endpoint, grant_type="authorization_code", code=answered["code"], code_verifier=verifier
        )
    except OAuth2Error as error:
        raise _refused(provider, f"the code was refused: {str(error.error)[:40]!r}") from None
    except (ValueError, KeyError, TypeError) as problem:
        raise _unusable(provider, problem) from None
    claims = _claims(provider, metadata, token, nonce)
    _check_how(provider, claims)
    return Vouched(_subject(provider, claims), _called(claims))


def sign_out_address(provider: Provider, back: str) -> str | None:
    """Where one signs out at the provider too (RP-Initiated Logout, section 2); None: it tells no such place, or does not answer."""
    try:
        endpoint = metadata_of(provider).end_session_endpoint
    except ProviderUnavailable:
        return None
    if endpoint is None:
        return None
    asked = urlencode({"client_id": provider.client_id, "post_logout_redirect_uri": back})
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{asked}"


def metadata_of(provider: Provider) -> Metadata:
    """What a provider says of itself, kept for an hour. Raises ProviderUnavailable."""
    known = _of(provider)
    if known.metadata is not None and known.until > time.monotonic():
        return known.metadata
    if known.silent_until > time.monotonic():
        raise _unusable(provider, "it gave no answer a moment ago")
    try:
        told = _metadata(provider, _json(provider, get_well_known_url(provider.issuer, external=True)))
    except ProviderUnavailable:
        known.silent_until = time.monotonic() + SILENT
        raise
    known.metadata, known.keys, known.until = told, None, time.monotonic() + FRESH
    return told


def forget_all() -> None:
    """Forgets what this process knows of providers: each is asked anew."""
    _known.clear()


def _of(provider: Provider) -> _Known:
    return _known.setdefault(provider.issuer, _Known())


def _metadata(provider: Provider, told: dict[str, Any]) -> Metadata:
    if told.get("issuer") != provider.issuer:
        raise _unusable(provider, "it names itself otherwise")
    authorization, token, keys = (
        _endpoint(provider, told.get(name)) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    )
    end = told.get("end_session_endpoint")
    signs = told.get("id_token_signing_alg_values_supported") or USUAL
    methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        authorization_endpoint=authorization,
        token_endpoint=token,
        jwks_uri=keys,
        end_session_endpoint=end if isinstance(end, str) and _safe_endpoint(end) else None,
        algorithms=tuple(one for one in signs if one in ALGORITHMS),
        client_authentication="client_secret_post" if "client_secret_basic" not in methods else "client_secret_basic",
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(provider: Provider, told: object) -> str:
    if not isinstance(told, str) or not _safe_endpoint(told):
        raise _unusable(provider, "an address is missing, or not of HTTPS")
    return told


def _safe_endpoint(url: str) -> bool:
    """An endpoint may have a query of its own."""
    return safe_address(url.partition("?")[0]) and url.isascii() and url.isprintable() and "#" not in url


def _keys(provider: Provider, metadata: Metadata, anew: bool) -> tuple[KeySet, bool]:
    """The provider's keys, and whether they were just asked for."""
    known = _of(provider)
    kept = known.keys
    if kept is not None and not anew:
        return kept, False
    try:
        keys = KeySet.import_key_set(_json(provider, metadata.jwks_uri))  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as problem:
        raise _unusable(provider, problem) from None
    known.keys = keys
    return keys, True


def _claims(provider: Provider, metadata: Metadata, token: Mapping[str, Any], nonce: str) -> CodeIDToken:
    """What the ID token says, if all that Core demands of it (section 3.1.3.7) holds. Raises NotVouched, ProviderUnavailable."""
    text = token.get("id_token")
    if not isinstance(text, str):
        raise _refused(provider, "there is no ID token")
    try:
        read = _read(provider, metadata, text)
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "value": provider.issuer},
                "sub": {"essential": True},
                "aud": {"essential": True, "value": provider.client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            {"nonce": nonce, "client_id": provider.client_id},
        )
        claims.validate(leeway=LEEWAY)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as problem:
        raise _refused(
            provider, f"the ID token: {problem}" if isinstance(problem, JoseError) else "the ID token"
        ) from None
    return claims


def _read(provider: Provider, metadata: Metadata, text: str) -> jwt.Token:
    """The token, its signature checked; by keys asked for anew where those that are kept don't fit: the provider may have others by
    now.
    """
    registry = JWSRegistry(algorithms=list(metadata.algorithms), strict_check_header=False)
    keys, fresh = _keys(provider, metadata, anew=False)
    try:
        return jwt.decode(text, keys, registry=registry)
    except (JoseError, ValueError):
        if fresh:
            raise
    keys, _ = _keys(provider, metadata, anew=True)
    return jwt.decode(text, keys, registry=registry)


def _check_how(provider: Provider, claims: Mapping[str, Any]) -> None:
    """Whether somebody signed in there as surely as is asked for. Raises NotVouched."""
    if provider.acr and claims.get("acr") not in provider.acr:
        why = f"acr is {str(claims.get('acr'))[:40]!r}"
    elif not set(provider.amr) <= set(map(str, claims.get("amr") or ())):
        why = f"amr is {str(claims.get('amr'))[:80]!r}"
    else:
        return
    log.warning("sign-in refused", provider=provider.code, why=why)
    raise NotVouched(
        sentence(
            "{provider} signed you in, but not as surely as this service asks for, for example without a second factor. Sign in "
            "there in the way your office told you, and come back.",
            provider=provider.name,
        )
    )


def _subject(provider: Provider, claims: Mapping[str, Any]) -> str:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise _refused(provider, "the subject is none")
    return subject


def _called(claims: Mapping[str, Any]) -> str:
    for name in NAMES:
        value = claims.get(name)
        if isinstance(value, str) and value.strip() and value.isprintable():
            return value.strip()[:LONGEST_CALLED]
    return ""


class _Answer:
    """A reply as Authlib reads one."""

    def __init__(self, reply: Reply) -> None:
        self.status_code = reply.status
        self._content = reply.content

    def json(self) -> Any:
        """What it says."""
        return json.loads(self._content)

    def raise_for_status(self) -> None:
        """Raises ValueError where the request failed."""
        if self.status_code >= 400:
            raise ValueError(f"HTTP {self.status_code}")


class _Asking:
    """How Authlib asks a token endpoint."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any, **_: Any) -> _Answer:
        """Sends a form, with what proves the client."""
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return _Answer(_asked(self._provider, "POST", url, body.encode(), sent))


def _client(provider: Provider, secret: str | None, metadata: Metadata, back: str) -> OAuth2Client:
    return OAuth2Client(
        session=_Asking(provider),
        client_id=provider.client_id,
        client_secret=secret,
        token_endpoint_auth_method=metadata.client_authentication if secret else "none",
        scope=SCOPE,
        redirect_uri=back,
        code_challenge_method="S256",
    )


def _json(provider: Provider, url: str) -> dict[str, Any]:
    reply = _asked(provider, "GET", url)
    try:
        told = json.loads(reply.content)
    except ValueError as problem:
        raise _unusable(provider, problem) from None
    if reply.status != 200 or not isinstance(told, dict):
        raise _unusable(provider, f"HTTP {reply.status}")
    return told


def _asked(
    provider: Provider, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    with _turn(provider):
        try:
            return request(method, url, PATIENCE, LONGEST, body, headers)
        except Unreachable as problem:
            raise _unusable(provider, problem) from None


@contextmanager
def _turn(provider: Provider) -> Iterator[None]:
    """One of the few places. Raises ProviderUnavailable where all wait for an answer already."""
    if not _asking.acquire(blocking=False):
        raise _unusable(provider, "others wait for it already")
    try:
        yield
    finally:
        _asking.release()


def _refused(provider: Provider, why: str) -> NotVouched:
    log.warning("sign-in refused", provider=provider.code, why=why)
    return NotVouched(
        sentence(
            "{provider} did not vouch for you here. Begin again; if it happens again, tell whoever looks after sign-in.",
            provider=provider.name,
        )
    )


def _unusable(provider: Provider, why: object) -> ProviderUnavailable:
    log.warning("provider unavailable", provider=provider.code, why=str(why)[:200])
    return ProviderUnavailable(
        sentence(
            "{provider} gives no answer that can be used at this moment. Try again later, or sign in by name and password.",
            provider=provider.name,
        )
    )
