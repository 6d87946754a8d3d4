"""The ids of applications and users in the checks, and the tokens that the server is started with."""

import uuid

APPLICATION = "22553876-f5ab-4529-bffb-cfe50aa89f87"
OTHER_APPLICATION = "7f3a5b1c-1f0e-4a43-9a0b-6f2c8d1e4b5a"
USER = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3"
OTHER_USER = "11111111-2222-3333-4444-555555555555"

# A user principal name that must be escaped in a path, and an unknown one.
PRINCIPAL_NAME = "a+b c@x.com/é"
UNKNOWN_PRINCIPAL_NAME = "a b c@x.com/é"

APPLICATION_TOKEN = "application-token"
OTHER_APPLICATION_TOKEN = "other-application-token"
USER_TOKEN = "user-token"
DEVELOPER_TOKEN = "developer-token"

OPTIONS = [
    "--app-token",
    f"{APPLICATION_TOKEN}={APPLICATION}",
    "--app-token",
    f"{OTHER_APPLICATION_TOKEN}={OTHER_APPLICATION}",
    "--user-token",
    f"{USER_TOKEN}={APPLICATION}/{USER}",
    "--dev-token",
    DEVELOPER_TOKEN,
    "--user-name",
    f"{PRINCIPAL_NAME}={USER}",
]

# The pairs of availability and activity that may be set. Rule P1.
SESSION_PAIRS = [
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("Away", "Away"),
    ("DoNotDisturb", "Presenting"),
]
PREFERRED_PAIRS = [
    ("Available", "Available"),
    ("Busy", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("BeRightBack", "BeRightBack"),
    ("Away", "Away"),
    ("Offline", "OffWork"),
]


def numbered(kind, number):
    """Returns the id of a numbered user or application of a check, the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {number}"))
