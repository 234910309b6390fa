"""The product's own REST API, version 1."""

from fastapi import APIRouter

from telemed.web.api import (
    admin,
    cases,
    contracts,
    corrections,
    critical,
    critical_lists,
    exams,
    hanging,
    inbox,
    key_images,
    models,
    nodes,
    notices,
    objects,
    orders,
    own_reading,
    picture_marks,
    reading_groups,
    reports,
    resident_links,
    session,
    uploads,
    viewer,
    worklist,
    writing,
)

router = APIRouter(prefix="/api/v1")
for part in (
    session,
    worklist,
    cases,
    critical,
    critical_lists,
    corrections,
    resident_links,
    exams,
    uploads,
    orders,
    key_images,
    picture_marks,
    own_reading,
    objects,
    inbox,
    reports,
    notices,
    models,
    admin,
    nodes,
    reading_groups,
    contracts,
    viewer,
    hanging,
    writing,
):
    router.include_router(part.router)
router.include_router(writing.reading)
