"""The DICOM network door: who may come in, and what is stored before anybody hears "success"."""
