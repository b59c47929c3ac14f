"""What a guest's request passes on its way in: it is kept before it is answered, and is turned away if it would do more than read,
whatever route it names.
"""

from __future__ import annotations

from anyio.to_thread import run_sync
from starlette.types import Scope

from stockpile.errors import NotAllowed
from stockpile.guest_access import note_reading
from stockpile.rights import Actor
from stockpile.sentences import sentence

READS = frozenset({"GET", "HEAD"})
OF_SIGNING_IN = frozenset({"/sign-in", "/sign-out", "/sign-in/password"})
OWN_SESSIONS = "/sessions/"


async def receive_guest(scope: Scope) -> None:
    """Keeps what a guest asks for. Raises NotAllowed for what is not to read, but one's own sessions and password."""
    actor: Actor | None = scope.get("state", {}).get("actor")
    if actor is None or actor.guest_id is None:
        return
    method, path = scope["method"], scope["path"]
    await run_sync(note_reading, scope["app"].state.engine, actor.guest_id, method, path)
    if method not in READS and path not in OF_SIGNING_IN and not path.startswith(OWN_SESSIONS):
        raise NotAllowed(sentence("You are a guest here: you read, and write nothing."))
