"""An answer as a Comprehensive SR after TID 1500 "Measurement Report" (PS3.16), made with highdicom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.coding import Code as DicomCode

from telemed.imaging.ecg_object import to_file, uid_of
from telemed.imaging.machine_objects import concepts as c
from telemed.imaging.machine_objects.lead_measurements import lead_measurements
from telemed.imaging.machine_objects.subject import (
    MANUFACTURER,
    SERIES_NUMBERS,
    MadeKind,
    Subject,
    finish,
    parameters,
)
from telemed.imaging.waveform import ECG_SOP_CLASSES

if TYPE_CHECKING:
    from telemed.domain.analysis import Finding, Statement


def findings_report(subject: Subject) -> bytes:
    """A Part 10 file: every finding with probability, threshold and flag, the global and the lead measurements
    with public codes, and the statements; model, version and digest in the algorithm's identification and as the
    observing device.

    Preliminary and unverified: a machine said it. Raises ValueError for an answer out of domain, which has
    nothing to report.
    """
    if not subject.analysis.in_domain:
        raise ValueError("an answer out of domain is no report")
    answer, is_ecg = subject.analysis, subject.header.sop_class_uid in ECG_SOP_CLASSES
    groups = [_of_finding(subject, finding) for finding in answer.findings]
    if measured := _measurements(subject):
        groups.append(_group(subject, "measurements", measurements=measured))
    if answer.statements:
        groups.append(_of_statements(subject, answer.statements))
    report = sr.MeasurementReport(
        observation_context=_observer(subject),
        procedure_reported=_code(c.ECG_PROCEDURE if is_ecg else c.FILM_PROCEDURE),
        imaging_measurements=groups,
    )
    root, tree = report[0], report[0].ContentSequence
    if is_ecg:
        # What a document is made of is copied and searched several times over, for the images that it refers to. The
        # tree of a recording refers to none, and is put in its place afterwards.
        root.ContentSequence = tree[:1]
    document = sr.ComprehensiveSR(
        evidence=[subject.evidence()],
        content=root,
        series_instance_uid=subject.series_uid(MadeKind.REPORT),
        series_number=SERIES_NUMBERS[MadeKind.REPORT],
        sop_instance_uid=subject.instance_uid(MadeKind.REPORT),
        instance_number=1,
        manufacturer=MANUFACTURER,
        is_complete=True,
        specific_character_set="ISO_IR 192",
    )
    if is_ecg:
        document.ContentSequence = tree
        _refer_to_recording(document, subject)
        # TID 1500 is extensible; lead values stand behind its own content.
        document.ContentSequence.extend(lead_measurements(answer.leads))
    document.SeriesDescription = subject.description
    finish(document, subject)
    return to_file(document)


def _observer(subject: Subject) -> sr.ObservationContext:
    model = subject.model
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=uid_of("model", model.name, model.version, model.sha256),
        name=model.name,
        manufacturer_name=MANUFACTURER,
        model_name=f"{model.name} {model.version}",
        serial_number=model.sha256,
    )
    kind = sr.CodedConcept("121007", "DCM", "Device")
    return sr.ObservationContext(observer_device_context=sr.ObserverContext(kind, device))


def _of_finding(subject: Subject, finding: Finding) -> sr.MeasurementsAndQualitativeEvaluations:
    return _group(
        subject,
        finding.name,
        finding_type=c.concept_of(finding.code, finding.name, finding.name),
        measurements=[
            _measurement(c.PROBABILITY, finding.probability, c.RATIO),
            _measurement(c.THRESHOLD, finding.threshold, c.RATIO),
        ],
        evaluations=[_evaluation(c.FLAG, c.REACHED if finding.flag else c.NOT_REACHED)],
    )


def _of_statements(
    subject: Subject, statements: tuple[Statement, ...]
) -> sr.MeasurementsAndQualitativeEvaluations:
    evaluations, texts = [], []
    for statement in statements:
        snomed = next((code for code in statement.coding if code.system == c.SNOMED_CT), None)
        name = c.FINDING if statement.level == "stated" else c.POSSIBLE
        evaluations.append(_evaluation(name, c.concept_of(snomed, statement.code, statement.text["en"])))
        texts.append(f"{statement.text['zh']} / {statement.text['en']}")
    group = _group(subject, "statements", evaluations=evaluations)
    for text in texts:
        comment = sr.TextContentItem(_code(c.COMMENT), text, sr.RelationshipTypeValues.CONTAINS)
        group[0].ContentSequence.append(comment)
    return group


def _refer_to_recording(document: Dataset, subject: Subject) -> None:
    """Names the recording in every group and in the evidence. After the fact: highdicom 0.28 writes WAVEFORM items
    and cannot read them back, which its document does while it is made.

    TID 1501 is extensible; its own row 12 takes images alone, and a recording is none.
    """
    header = subject.header
    (found,) = [
        one for one in document.ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == "126010"
    ]
    for group in found.ContentSequence:
        source = sr.WaveformContentItem(
            _code(c.SOURCE),
            header.sop_class_uid,
            header.sop_instance_uid,
            relationship_type=sr.RelationshipTypeValues.CONTAINS,
        )
        group.ContentSequence.append(source)
    instance, series, study = Dataset(), Dataset(), Dataset()
    instance.ReferencedSOPClassUID = header.sop_class_uid
    instance.ReferencedSOPInstanceUID = header.sop_instance_uid
    series.SeriesInstanceUID, series.ReferencedSOPSequence = header.series_instance_uid, Sequence([instance])
    study.StudyInstanceUID, study.ReferencedSeriesSequence = header.study_instance_uid, Sequence([series])
    document.CurrentRequestedProcedureEvidenceSequence = Sequence([study])


def _measurements(subject: Subject) -> list[sr.Measurement]:
    found = subject.analysis.measurements
    return [
        _measurement(concept, round(found[name], 1), unit)
        for name, (concept, unit) in c.MEASUREMENTS.items()
        if name in found
    ]


def _group(
    subject: Subject,
    name: str,
    *,
    finding_type: c.Concept | None = None,
    measurements: list[sr.Measurement] | None = None,
    evaluations: list[sr.QualitativeEvaluation] | None = None,
) -> sr.MeasurementsAndQualitativeEvaluations:
    """A measurement group (TID 1501) of the whole recording, with what it was measured on."""
    model, header = subject.model, subject.header
    algorithm = sr.AlgorithmIdentification(
        name=model.name, version=model.version, parameters=parameters(model), manufacturer=MANUFACTURER
    )
    is_ecg = header.sop_class_uid in ECG_SOP_CLASSES
    image = sr.SourceImageForMeasurementGroup(header.sop_class_uid, header.sop_instance_uid)
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(
            uid=uid_of("tracking", subject.site, subject.result_key, name), identifier=f"{model.name} {name}"
        ),
        finding_type=_code(finding_type) if finding_type else None,
        algorithm_id=algorithm,
        measurements=measurements,
        qualitative_evaluations=evaluations,
        source_images=None if is_ecg else [image],
    )


def _measurement(concept: c.Concept, value: float, unit: c.Unit) -> sr.Measurement:
    return sr.Measurement(_code(concept), float(value), DicomCode(unit.value, "UCUM", unit.meaning))


def _evaluation(name: c.Concept, value: c.Concept) -> sr.QualitativeEvaluation:
    return sr.QualitativeEvaluation(_code(name), _code(value))


def _code(concept: c.Concept) -> DicomCode:
    return DicomCode(concept.value, concept.scheme, concept.meaning)
