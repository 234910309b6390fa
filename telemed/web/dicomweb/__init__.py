"""DICOMweb (PS3.18): what other systems and the case page fetch."""

from fastapi import APIRouter

from telemed.web.dicomweb import frames, metadata, pictures, previews, retrieve, search, store

router = APIRouter(prefix="/dicom-web", tags=["dicom-web"])
for part in (pictures, previews, frames, metadata, search, store, retrieve):
    router.include_router(part.router)
