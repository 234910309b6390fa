"""DICOMweb (PS3.18): what other systems and the case page fetch."""

from fastapi import APIRouter

from telemed.web.dicomweb import instances, metadata, pictures, search, store

router = APIRouter(prefix="/dicom-web", tags=["dicom-web"])
for part in (pictures, instances, metadata, search, store):
    router.include_router(part.router)
