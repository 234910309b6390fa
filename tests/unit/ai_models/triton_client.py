"""Asks a v2 server with the unmodified `tritonclient`; run as a program, because its event library patches itself in.

Arguments: host:port, model, an .npz with the inputs, a file for the output as .npy. Prints what else it learnt.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton


def main() -> None:
    address, model, source, target = sys.argv[1:]
    client = triton.InferenceServerClient(address)
    tensors = dict(np.load(source))
    asked = []
    for name, value in tensors.items():
        tensor = triton.InferInput(name, list(value.shape), "FP32")
        tensor.set_data_from_numpy(value, binary_data=True)
        asked.append(tensor)
    wanted = [triton.InferRequestedOutput("probability", binary_data=True)]
    answer = client.infer(model, asked, outputs=wanted, request_id="7", priority=1, timeout=20_000_000)
    np.save(target, answer.as_numpy("probability"))
    plain = [triton.InferInput(name, list(value.shape), "FP32") for name, value in tensors.items()]
    for tensor, value in zip(plain, tensors.values(), strict=True):
        tensor.set_data_from_numpy(value, binary_data=False)
    as_json = client.infer(
        model, plain, outputs=[triton.InferRequestedOutput("probability", binary_data=False)]
    )
    running = [client.async_infer(model, asked) for _ in range(8)]
    same = all(
        np.array_equal(one.get_result().as_numpy("probability"), answer.as_numpy("probability"))
        for one in running
    )
    asked[0].set_shape([1, 6, 12, 299])
    try:
        client.infer(model, asked)
        refused = ""
    except triton.InferenceServerException as error:
        refused = error.message()
    print(
        json.dumps(
            {
                "live": client.is_server_live(),
                "ready": client.is_server_ready(),
                "model_ready": client.is_model_ready(model),
                "extensions": client.get_server_metadata()["extensions"],
                "inputs": client.get_model_metadata(model)["inputs"],
                "index": client.get_model_repository_index(),
                "id": answer.get_response()["id"],
                "json_is_the_same": np.array_equal(
                    as_json.as_numpy("probability"), answer.as_numpy("probability")
                ),
                "eight_at_once_are_the_same": same,
                "refused": refused,
            }
        )
    )


if __name__ == "__main__":
    main()
