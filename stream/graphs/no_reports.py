"""Importing this keeps onnxruntime from sending statistics of models and machine to its maker.

It has to come before onnxruntime: switching the reports off later still leaves an identifier in the
user's folder and a first event.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
