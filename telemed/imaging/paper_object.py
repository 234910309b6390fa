"""A paper ECG as a DICOM object: Encapsulated PDF (PS3.3 A.45.1) or Secondary Capture (A.8.1), modality ECG.

People read it; `read_waveform` answers waveform.encapsulated_pdf or waveform.no_waveform, and so does AI.
"""

from __future__ import annotations

from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, EncapsulatedPDFStorage, JPEGBaseline8Bit, SecondaryCaptureImageStorage

from telemed.imaging.ecg_object import Origin, bare_object, code_item, to_file
from telemed.imaging.formats.paper import read_pdf, read_picture
from telemed.imaging.source_block import write_source


def pdf_object(origin: Origin) -> bytes:
    """A Part 10 file around a PDF; the document is the source, byte for byte. Raises FormatError."""
    document = read_pdf(origin.files[0].data)
    ds = bare_object(origin, EncapsulatedPDFStorage, "ECG document")
    ds.ConversionType, ds.BurnedInAnnotation = "SD", "YES"
    ds.ContentDate, ds.ContentTime = ds.StudyDate, ds.StudyTime
    ds.AcquisitionDateTime = ds.StudyDate + ds.StudyTime
    ds.DocumentTitle = "ECG"
    ds.ConceptNameCodeSequence = Sequence([code_item("11524-6", "LN", "EKG study")])
    ds.MIMETypeOfEncapsulatedDocument = "application/pdf"
    ds.EncapsulatedDocumentLength = len(document)
    ds.EncapsulatedDocument = document + b"\0" * (len(document) & 1)
    return to_file(ds)


def picture_object(origin: Origin) -> bytes:
    """A Part 10 file of a scan or photo. An upright baseline JPEG is its own pixel stream, byte for byte; beside
    any other pixels the file as it came is kept. Raises FormatError."""
    picture = read_picture(origin.files[0].data)
    ds = bare_object(origin, SecondaryCaptureImageStorage, "ECG on paper")
    ds.ConversionType, ds.BurnedInAnnotation = "SD", "YES"
    ds.PatientOrientation = ""
    ds.Rows, ds.Columns, ds.SamplesPerPixel = picture.rows, picture.columns, picture.channels
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    if picture.channels > 1:
        ds.PlanarConfiguration = 0
    else:
        # Shown as it is: without a window a viewer would stretch the paper's own gray.
        ds.WindowCenter, ds.WindowWidth = 128, 256
    if picture.jpeg is None or picture.altered:
        write_source(ds, origin.kind, origin.files)
    if picture.jpeg is None:
        ds.PhotometricInterpretation = "RGB" if picture.channels > 1 else "MONOCHROME2"
        pixels = picture.pixels or b""
        ds.PixelData = pixels + b"\0" * (len(pixels) & 1)
        return to_file(ds)
    ds.PhotometricInterpretation = "YBR_FULL_422" if picture.channels > 1 else "MONOCHROME2"
    ds.LossyImageCompression, ds.LossyImageCompressionMethod = "01", "ISO_10918_1"
    size = picture.rows * picture.columns * picture.channels
    ds.LossyImageCompressionRatio = f"{size / len(picture.jpeg):.2f}"
    ds.PixelData = encapsulate([picture.jpeg])
    ds["PixelData"].is_undefined_length = True
    return to_file(ds, UID(JPEGBaseline8Bit))
