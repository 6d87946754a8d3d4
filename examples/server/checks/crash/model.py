"""A model of a user: the rules of sections 3 to 6, implemented again in the plainest way. Times are in milliseconds."""

from dataclasses import dataclass, field, replace

FADES = ((300_000, ("Available", "AvailableInactive")), (600_000, ("Away", "Away")))
# Rule A3, weakest first.
STRENGTH = [
    ("Away", "Away"),
    ("Available", "AvailableInactive"),
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("DoNotDisturb", "Presenting"),
]
OFFLINE = ("Offline", "Offline")
NOWHERE = ("unspecified", "none", None)
DAY = 86_400_000


@dataclass(frozen=True)
class Session:
    pair: tuple
    set_at: int
    expires_at: int

    def deadlines(self):
        fades = [self.set_at + after for after, _ in FADES] if self.pair == ("Available", "Available") else []
        return [*fades, self.expires_at]

    def shown(self, now):
        shown = self.pair
        if self.pair == ("Available", "Available"):
            for after, becomes in FADES:
                if now >= self.set_at + after:
                    shown = becomes
        return shown


@dataclass(frozen=True)
class Visible:
    """The visible state of a user, without its version."""

    pair: tuple = OFFLINE
    message: str | None = None
    location: tuple = NOWHERE


@dataclass
class User:
    now: int
    sessions: dict = field(default_factory=dict)
    # Each a value and its expiry, which is None for never; or None.
    preferred: tuple | None = None
    message: tuple | None = None
    manual: tuple | None = None
    automatic: tuple | None = None
    version: int = 0
    # The visible state at each version, and the user after each command.
    history: dict = field(default_factory=lambda: {0: Visible()}, compare=False)
    past: list = field(default_factory=list, compare=False)

    def visible(self):
        location = NOWHERE
        for source, layer in (("automatic", self.automatic), ("manual", self.manual)):
            if layer:
                (kind, place), _ = layer
                location = (kind, source, place)
        return Visible(self.pair(), self.message and self.message[0], location)

    def pair(self):
        if not self.sessions:
            return OFFLINE
        if self.preferred:
            return self.preferred[0]
        return max((session.shown(self.now) for session in self.sessions.values()), key=STRENGTH.index)

    def next_deadline(self):
        """Returns the next deadline after now."""
        times = [time for session in self.sessions.values() for time in session.deadlines()]
        times += [layer[1] for layer in (self.preferred, self.message, self.manual, self.automatic) if layer and layer[1]]
        return min((time for time in times if time > self.now), default=None)

    def advance(self, now):
        """Advances the user deadline by deadline, because each visible change counts (rule V1)."""
        while (deadline := self.next_deadline()) and deadline <= now:
            self.change(lambda: self.expire(deadline))
        self.now = max(self.now, now)

    def expire(self, now):
        self.now = now
        self.sessions = {name: session for name, session in self.sessions.items() if session.expires_at > now}
        for name in ("preferred", "message", "manual", "automatic"):
            layer = getattr(self, name)
            if layer and layer[1] and layer[1] <= now:
                setattr(self, name, None)

    def change(self, change):
        before = self.visible()
        change()
        if self.visible() != before:
            self.version += 1
            self.history[self.version] = self.visible()

    # Commands, which return the status that the response must have.

    def apply(self, action, arguments):
        if action == "clearPresence" and arguments["session"] not in self.sessions:
            return 404
        if action == "signOut" and self.is_empty():
            return 404
        self.change(lambda: getattr(self, action)(**arguments))
        self.past.append(replace(self, sessions=dict(self.sessions), history={}, past=[]))
        return 204 if action in ("signOut", "erase") else 200

    def is_empty(self):
        return not (self.sessions or self.preferred or self.message or self.manual or self.automatic)

    def signOut(self):
        self.sessions.clear()

    def erase(self):
        self.sessions.clear()
        self.preferred = self.message = self.manual = self.automatic = None

    def setPresence(self, session, pair, lease):
        self.sessions[session] = Session(pair, self.now, self.now + lease)

    def clearPresence(self, session):
        del self.sessions[session]

    def setUserPreferredPresence(self, pair, duration):
        self.preferred = (pair, self.now + duration)

    def clearUserPreferredPresence(self):
        self.preferred = None

    def setStatusMessage(self, content, until):
        self.message = (content, until) if content else None

    def setManualLocation(self, kind, place):
        self.manual = ((kind, place), self.end_of_day())

    def setAutomaticLocation(self, kind, place):
        self.automatic = ((kind, place), self.end_of_day())

    def clearLocation(self):
        self.manual = self.automatic = None

    def clearAutomaticLocation(self):
        self.automatic = None

    def end_of_day(self):
        return (self.now // DAY + 1) * DAY

    def copy(self):
        return replace(self, sessions=dict(self.sessions), history=dict(self.history), past=list(self.past))

    def ever_was(self, found, now):
        """Reports whether the user would be in this state now without its last commands, any number of them."""
        for past in reversed([User(0), *self.past]):
            then = past.copy()
            then.advance(now)
            if (then.visible(), then.version) == found:
                return True
        return False


def observe(presence):
    """Converts a presence object to its visible state and version. Rule H3."""
    message = (presence["statusMessage"] or {}).get("message") or {}
    place = presence["workLocation"]
    location = (place["workLocationType"], place["source"], place["placeId"]) if place else NOWHERE
    visible = Visible((presence["availability"], presence["activity"]), message.get("content") or None, location)
    number = presence["sequenceNumber"]
    return visible, (ord(number[0]) - ord("A")) * 10**10 + int(number[1:]) if number else 0
