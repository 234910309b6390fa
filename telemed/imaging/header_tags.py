"""Which elements make up a header."""

from __future__ import annotations

CHARSET, SOP_CLASS, SOP_INSTANCE = 0x00080005, 0x00080016, 0x00080018
STUDY_UID, SERIES_UID = 0x0020000D, 0x0020000E
OTHER_IDS, OTHER_IDS_SEQUENCE, PATIENT_ID, PATIENT_NAME = 0x00101000, 0x00101002, 0x00100020, 0x00100010
LAST_GROUP = 0x0028
TEXTS = {
    "accession_number": 0x00080050,
    "modality": 0x00080060,
    "manufacturer": 0x00080070,
    "institution_name": 0x00080080,
    "station_name": 0x00081010,
    "study_description": 0x00081030,
    "series_description": 0x0008103E,
    "study_date": 0x00080020,
    "study_time": 0x00080030,
    "timezone_offset": 0x00080201,
    "patient_id": PATIENT_ID,
    "issuer": 0x00100021,
    "birth_date": 0x00100030,
    "sex": 0x00100040,
    "age": 0x00101010,
    "body_part": 0x00180015,
    "view_position": 0x00185101,
}
NUMBERS = {
    "series_number": 0x00200011,
    "instance_number": 0x00200013,
    "frames": 0x00280008,
    "rows": 0x00280010,
    "columns": 0x00280011,
}
WANTED = frozenset(
    {CHARSET, SOP_CLASS, SOP_INSTANCE, STUDY_UID, SERIES_UID, OTHER_IDS, OTHER_IDS_SEQUENCE, PATIENT_NAME}
    | set(TEXTS.values())
    | set(NUMBERS.values())
)
# What may hold characters beyond ASCII, and so speaks for the true character set.
SPEAKING = (
    PATIENT_NAME,
    *(
        TEXTS[name]
        for name in ("institution_name", "study_description", "series_description", "station_name")
    ),
)
