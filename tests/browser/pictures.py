"""Films in every transfer syntax and grey-scale that readers meet, each with what pydicom and numpy say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from tests.factories.dicom import dr_dataset, part10, uid

STUDY = str(uid("image-station", "study"))
ROWS, COLUMNS = 96, 128

JPEG_BASELINE, JPEG_EXTENDED = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS, JPEG_LS = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"
JPEG_2000, HTJ2K = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201"
JPEG_2000_LOSSY, RLE = "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5"


@dataclass(frozen=True)
class Film:
    name: str
    data: bytes
    # Decoders may differ by this many stored values where the compression loses some.
    loss: int = 0
    sop: str = field(default="")

    def dataset(self) -> Dataset:
        return dcmread(BytesIO(self.data))

    def values(self) -> NDArray[np.float64]:
        """In modality units, as pydicom has them."""
        ds = self.dataset()
        if ds.file_meta.TransferSyntaxUID == JPEG_EXTENDED:
            # Twelve bits of it are beyond what pydicom decodes here.
            return np.asarray(imagecodecs.jpeg8_decode(get_frame(ds.PixelData, 0)), np.float64)
        return np.asarray(apply_modality_lut(ds.pixel_array, ds), np.float64)

    def shown(self) -> NDArray[np.float64]:
        """Grey levels 0 to 255 with the object's own VOI, MONOCHROME1 turned round."""
        ds, values = self.dataset(), self.values()
        sequence = ds.get("VOILUTSequence")
        if sequence:
            most = 2 ** int(sequence[0].LUTDescriptor[2]) - 1
            share = apply_voi_lut(ds.pixel_array, ds, prefer_lut=True) / most
        else:
            center, width = float(ds.WindowCenter), float(ds.WindowWidth)
            if ds.get("VOILUTFunction") == "SIGMOID":
                share = 1 / (1 + np.exp(-4 * (values - center) / width))
            elif ds.get("VOILUTFunction") == "LINEAR_EXACT":
                share = np.clip((values - center) / width + 0.5, 0, 1)
            else:
                share = np.clip((values - (center - 0.5)) / (width - 1) + 0.5, 0, 1)
        turned = 1 - share if ds.PhotometricInterpretation == "MONOCHROME1" else share
        return np.asarray(turned * 255, np.float64)


def scene(bits: int, low: int = 0) -> NDArray[np.int64]:
    """A slope with a disc and some grain: every codec has something to predict, and something not to."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    most = (1 << bits) - 1
    found = (x / COLUMNS * 0.6 + y / ROWS * 0.3) * most
    found += np.where((x - 80) ** 2 + (y - 40) ** 2 < 400, 0.08 * most, 0)
    found += np.random.default_rng(7).integers(0, max(most // 64, 2), found.shape)
    return np.clip(np.rint(found), 0, most).astype(np.int64) + low


def film(
    name: str,
    pixels: NDArray[Any],
    *,
    bits: int,
    syntax: str = ExplicitVRLittleEndian,
    stream: Callable[[NDArray[Any]], bytes] | None = None,
    loss: int = 0,
    **attributes: Any,
) -> Film:
    number = len(_made) + 1
    ds = dr_dataset(
        pixels,
        bits=bits,
        photometric=attributes.pop("photometric", "MONOCHROME2"),
        seed=("image-station", name),
        study_uid=STUDY,
        series_uid=str(uid("image-station", "series")),
        patient_id="FIC-P7",
        InstanceNumber=number,
    )
    high = (1 << bits) - 1
    window = {"WindowCenter": pixels.min() + high / 2, "WindowWidth": high * 0.8}
    for keyword, value in {**window, **attributes}.items():
        setattr(ds, keyword, value)
    if stream is not None:
        ds.PixelData = encapsulate([stream(pixels)])
        ds["PixelData"].VR = "OB"
        data = part10(ds, syntax)
    elif syntax != ExplicitVRLittleEndian:
        whole = dcmread(BytesIO(part10(ds)))
        whole.compress(syntax, generate_instance_uid=False)
        buffer = BytesIO()
        whole.save_as(buffer, enforce_file_format=True)
        data = buffer.getvalue()
    else:
        data = part10(ds)
    made = Film(name, data, loss, str(ds.SOPInstanceUID))
    _made.append(made)
    return made


_made: list[Film] = []


def voi_lut(first: int, entries: int) -> Sequence:
    """A curve that no window has: steep, flat, steep, in 12 bits."""
    x = np.linspace(0, 1, entries)
    item = Dataset()
    item.LUTDescriptor = [entries, first, 12]
    item.LUTData = np.rint((0.5 + 4 * (x - 0.5) ** 3) * 4095).astype("<u2").tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    return Sequence([item])


def films() -> list[Film]:
    """One of each kind, in the order of their numbers."""
    _made.clear()
    u12, u16, u8 = scene(12).astype(np.uint16), scene(16).astype(np.uint16), scene(8).astype(np.uint8)
    s16 = scene(12, low=-1500).astype(np.int16)
    film("raw 12 bit", u12, bits=12)
    film("raw 16 bit", u16, bits=16)
    film("signed", s16, bits=16)
    film("signed 13 bit", s16, bits=13)
    film("MONOCHROME1", u12, bits=12, photometric="MONOCHROME1")
    film("rescaled", u12, bits=12, RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=900, WindowWidth=2600)
    film("rescaled by a fraction", u12, bits=12, RescaleSlope=0.25, RescaleIntercept=3, WindowCenter=500)
    film("VOI LUT", u12, bits=12, VOILUTSequence=voi_lut(0, 4096))
    film("sigmoid", u12, bits=12, VOILUTFunction="SIGMOID")
    film("linear exact", u12, bits=12, VOILUTFunction="LINEAR_EXACT")
    film("RLE", u12, bits=12, syntax=RLE)
    film("RLE signed", s16, bits=16, syntax=RLE)
    film("JPEG baseline", u8, bits=8, syntax=JPEG_BASELINE, stream=_jpeg(8), loss=2)
    film("JPEG extended", u12, bits=12, syntax=JPEG_EXTENDED, stream=_jpeg(12), loss=2)
    film("JPEG lossless", u12, bits=12, syntax=JPEG_LOSSLESS, stream=_jpeg_lossless)
    film("JPEG-LS", u12, bits=12, syntax=JPEG_LS)
    film("JPEG-LS 16 bit", u16, bits=16, syntax=JPEG_LS)
    film("JPEG 2000", u12, bits=12, syntax=JPEG_2000)
    film("JPEG 2000 signed", s16, bits=16, syntax=JPEG_2000)
    film("JPEG 2000 MONOCHROME1", u12, bits=12, syntax=JPEG_2000, photometric="MONOCHROME1")
    film("HTJ2K", u12, bits=12, syntax=HTJ2K, stream=_htj2k)
    # The last one says how large its pixels are at the detector, and nothing of the patient.
    film("HTJ2K 16 bit", u16, bits=16, syntax=HTJ2K, stream=_htj2k, ImagerPixelSpacing=[0.2, 0.2])
    return list(_made)


CT_STUDY = str(uid("image-station", "ct"))
CT_SPACING = 0.7


def slices(
    count: int,
    study: str = CT_STUDY,
    *,
    patient_id: str = "FIC-P8",
    step: float = 2,
    body_part: str = "CHEST",
) -> list[bytes]:
    """A body of water with an air hole, a slice every `step` mm; slice n has a dense square of 100 n HU."""
    y, x = np.mgrid[0:256, 0:256]
    found = []
    for number in range(1, count + 1):
        units = np.where((x - 128) ** 2 + (y - 128) ** 2 < 110**2, 0, -1000)
        units[60:100, 110:150] = 100 * number
        units[160:200, 60:100] = -900
        ds = dr_dataset(
            (units + 1024).astype(np.uint16),
            bits=12,
            sop_class="1.2.840.10008.5.1.4.1.1.2",
            seed=("slices", study, number),
            study_uid=study,
            series_uid=str(uid("slices", study)),
            patient_id=patient_id,
        )
        ds.Modality, ds.BodyPartExamined, ds.InstanceNumber = "CT", body_part, number
        ds.SeriesNumber, ds.SeriesDescription = 2, "平扫 5 mm"
        ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
        ds.WindowCenter, ds.WindowWidth = 40, 400
        ds.PixelSpacing = [CT_SPACING, CT_SPACING]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.ImagePositionPatient = [-90, -90, -step * number]
        ds.FrameOfReferenceUID = uid("slices", study, "frame")
        found.append(part10(ds))
    return found


def scout(study: str = CT_STUDY, *, patient_id: str = "FIC-P8") -> bytes:
    """From the front, a series of its own with the lower number, whenever it arrives."""
    ds = dr_dataset(
        np.full((200, 128), 1000, np.uint16), bits=12, sop_class="1.2.840.10008.5.1.4.1.1.2",
        seed=("scout", study), study_uid=study, series_uid=str(uid("scout", study)), patient_id=patient_id,
    )  # fmt: skip
    ds.Modality, ds.BodyPartExamined, ds.InstanceNumber = "CT", "CHEST", 1
    ds.SeriesNumber, ds.SeriesDescription = 1, "定位像"
    ds.RescaleSlope, ds.RescaleIntercept, ds.WindowCenter, ds.WindowWidth = 1, -1024, 40, 400
    ds.PixelSpacing = [1.5, 1.5]
    ds.ImageOrientationPatient, ds.ImagePositionPatient = [1, 0, 0, 0, 0, -1], [-90, 0, 20]
    return part10(ds)


ENHANCED_STUDY = str(uid("image-station", "enhanced"))


def enhanced() -> bytes:
    """One object of two frames, each with a scale, a window and a place of its own (Enhanced CT)."""
    frames = np.stack([scene(12), scene(12)[::-1]]).astype(np.uint16)
    ds = dr_dataset(
        frames, bits=12, sop_class="1.2.840.10008.5.1.4.1.1.2.1", seed=("enhanced",), study_uid=ENHANCED_STUDY,
        series_uid=str(uid("enhanced", "series")), patient_id="FIC-P9",
    )  # fmt: skip
    ds.Modality, ds.BodyPartExamined, ds.InstanceNumber = "CT", "CHEST", 1
    shared, each = Dataset(), [Dataset(), Dataset()]
    shared.PixelMeasuresSequence = [_item(PixelSpacing=[0.5, 0.5], SliceThickness=3)]
    shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=[1, 0, 0, 0, 0, -1])]
    for number, group in enumerate(each):
        intercept = -1024 if number == 0 else -500
        group.PixelValueTransformationSequence = [
            _item(RescaleIntercept=intercept, RescaleSlope=1, RescaleType="HU")
        ]
        window = _item(WindowCenter=900 + 100 * number, WindowWidth=2000 + 500 * number)
        group.FrameVOILUTSequence = [window]
        group.PlanePositionSequence = [_item(ImagePositionPatient=[0, 3 * number, 0])]
    ds.SharedFunctionalGroupsSequence = [shared]
    ds.PerFrameFunctionalGroupsSequence = each
    return part10(ds)


def _item(**attributes: Any) -> Dataset:
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def _jpeg(bits: int) -> Callable[[NDArray[Any]], bytes]:
    return lambda pixels: bytes(imagecodecs.jpeg8_encode(pixels, level=90, bitspersample=bits))


def _jpeg_lossless(pixels: NDArray[Any]) -> bytes:
    return bytes(imagecodecs.ljpeg_encode(pixels, bitspersample=12))


def _htj2k(pixels: NDArray[Any]) -> bytes:
    return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
