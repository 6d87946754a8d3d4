"""Random actions, Graph's and an operator's, with their bodies for the server and their arguments for the model. Section 7."""

import time

from harness.names import PREFERRED_PAIRS, SESSION_PAIRS, numbered

APPLICATIONS = [numbered("application", number) for number in range(3)]
# The weight with which each action is chosen.
ACTIONS = {
    "setPresence": 8,
    "clearPresence": 3,
    "setUserPreferredPresence": 3,
    "clearUserPreferredPresence": 1,
    "setStatusMessage": 3,
    "setManualLocation": 1,
    "setAutomaticLocation": 1,
    "clearLocation": 1,
    "clearAutomaticLocation": 1,
    "signOut": 1,
    "erase": 1,
}


def choose(random, user):
    """Returns a random action of this user: its name, the model's arguments, and the body."""
    action = random.choices(list(ACTIONS), ACTIONS.values())[0]
    match action:
        case "setPresence":
            session, pair = random.choice(APPLICATIONS), random.choice(SESSION_PAIRS)
            lease = random.choice([300_000, random.randint(300_000, 900_000), random.randint(300_000, 14_400_000)])
            body = {"sessionId": session, "availability": pair[0], "activity": pair[1], "expirationDuration": iso(lease)}
            return action, {"session": session, "pair": pair, "lease": lease}, body
        case "clearPresence":
            session = random.choice(list(user.sessions) or APPLICATIONS)
            return action, {"session": session}, {"sessionId": session}
        case "setUserPreferredPresence":
            pair, duration = random.choice(PREFERRED_PAIRS), random.randint(1, 3_600_000)
            body = {"availability": pair[0], "activity": pair[1], "expirationDuration": iso(duration)}
            return action, {"pair": pair, "duration": duration}, body
        case "setStatusMessage":
            content = random.choice(["", f"message {random.getrandbits(64):x} 🦀"])
            until = random.choice([None, user.now + random.randint(1, 3_600_000)]) if content else None
            message = {"message": {"content": content, "contentType": "text"}}
            if until:
                message["expiryDateTime"] = {"dateTime": utc(until), "timeZone": "UTC"}
            return action, {"content": content, "until": until}, {"statusMessage": message}
        case "setManualLocation" | "setAutomaticLocation":
            kind, place = random.choice(["office", "remote", "timeOff"]), random.choice([None, "building 7"])
            body = {"workLocationType": kind} | ({"placeId": place} if place else {})
            return action, {"kind": kind, "place": place}, body
    return action, {}, None


def iso(millis):
    return f"PT{millis // 1000}.{millis % 1000:03}S"


def utc(millis):
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000))
    return f"{whole}.{millis % 1000:03}0000"
