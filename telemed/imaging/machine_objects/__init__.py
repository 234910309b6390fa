"""What a model answered, as DICOM objects beside the recording: report, attention picture, annotated recording.

The modules import highdicom, which takes a second or two; whoever has nothing to build imports `subject` alone.
"""
