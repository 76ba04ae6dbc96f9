"""Answers for each document on stdin, a JSON string a line, what OmegaConf makes of it.

The answer is a JSON object: {"yaml": text} for OmegaConf.to_yaml(OmegaConf.load(document)), or
{"error": words} where OmegaConf refuses the document.
"""
import io
import json
import sys

from omegaconf import OmegaConf

for line in sys.stdin:
    document = json.loads(line)
    try:
        answer = {"yaml": OmegaConf.to_yaml(OmegaConf.load(io.StringIO(document)))}
    except Exception as error:  # whatever is wrong with a document, the next one wants its answer
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer))
