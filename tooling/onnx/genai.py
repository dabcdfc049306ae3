"""Continues token ids with onnxruntime-genai: python genai.py FOLDER COUNT ID,ID,… ; prints the new ids as JSON.

pip install onnxruntime-genai==0.18.0
"""

import json
import sys

import numpy as np
import onnxruntime_genai as og


def main(folder, count, ids):
    tokens = [int(token) for token in ids.split(",")]
    model = og.Model(folder)
    params = og.GeneratorParams(model)
    params.set_search_options(max_length=len(tokens) + int(count), do_sample=False)
    generator = og.Generator(model, params)
    generator.append_tokens(np.array([tokens], dtype=np.int32))
    made = []
    while not generator.is_done() and len(made) < int(count):
        generator.generate_next_token()
        made.append(int(generator.get_next_tokens()[0]))
    print(json.dumps(made))


if __name__ == "__main__":
    main(*sys.argv[1:])
