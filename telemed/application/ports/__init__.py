"""What the use cases need from the world, as Protocols. Adapters satisfy them; tests bring fakes.

Permission is in the query: the repositories of cases, studies, reports and deliveries select only through
`visible_to`-like methods that take the actor; the plain `get` variants serve jobs, which act for nobody.
"""

from telemed.application.ports.analysis import Analyser, ModelDescription
from telemed.application.ports.outside import Clock, Identifiers, NameReadings, Passwords, Renderer, Waker
from telemed.application.ports.people import (
    Devices,
    Institutions,
    Orders,
    Patients,
    Residents,
    Sessions,
    Users,
)
from telemed.application.ports.reading import (
    Cases,
    CriticalRow,
    CriticalValues,
    Deliveries,
    InboxRow,
    Reports,
)
from telemed.application.ports.storage import Copies, ObjectStore, Spool, SpoolPart
from telemed.application.ports.studies import Studies, StudyOverview
from telemed.application.ports.trail import Analyses, DueJob, Events, Jobs, Notices, Rules
from telemed.application.ports.unit_of_work import UnitOfWork, UnitOfWorkFactory
from telemed.application.ports.worklist import WorklistRow

__all__ = [
    "Analyser",
    "Analyses",
    "Cases",
    "Clock",
    "Copies",
    "CriticalRow",
    "CriticalValues",
    "Deliveries",
    "Devices",
    "DueJob",
    "Events",
    "Identifiers",
    "InboxRow",
    "Institutions",
    "Jobs",
    "ModelDescription",
    "NameReadings",
    "Notices",
    "ObjectStore",
    "Orders",
    "Passwords",
    "Patients",
    "Renderer",
    "Reports",
    "Residents",
    "Rules",
    "Sessions",
    "Spool",
    "SpoolPart",
    "Studies",
    "StudyOverview",
    "UnitOfWork",
    "UnitOfWorkFactory",
    "Users",
    "Waker",
    "WorklistRow",
]
