"""What a program with the openai package does, against the server whose address is given. Prints JSON of what it got."""

import asyncio
import json
import sys

import openai

BASE = sys.argv[1] + "/v1"
client = openai.OpenAI(base_url=BASE, api_key="none", max_retries=0)
messages = [{"role": "user", "content": "Write a function."}]
common = {"model": "demo", "messages": messages, "temperature": 0}
schema = {
    "type": "object",
    "properties": {"a": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["a"],
    "additionalProperties": False,
}
got = {}

whole = client.chat.completions.create(**common, max_tokens=24, logprobs=True, top_logprobs=2)
got["whole"] = whole.choices[0].message.content
got["logprobs"] = len(whole.choices[0].logprobs.content)
pieces, usage = [], None
for chunk in client.chat.completions.create(
    **common, max_tokens=24, stream=True, stream_options={"include_usage": True}
):
    pieces += [choice.delta.content or "" for choice in chunk.choices]
    usage = chunk.usage or usage
got["streamed"] = "".join(pieces)
got["usage"] = usage.completion_tokens

tool = {"type": "function", "function": {"name": "add", "parameters": schema}}
named = {"type": "function", "function": {"name": "add"}}
called = client.chat.completions.create(**common, max_tokens=80, tools=[tool], tool_choice=named)
got["call"] = json.loads(called.choices[0].message.tool_calls[0].function.arguments)
form = {"type": "json_schema", "json_schema": {"name": "sum", "schema": schema, "strict": True}}
got["object"] = json.loads(
    client.chat.completions.create(**common, max_tokens=60, response_format=form).choices[0].message.content
)
got["response"] = client.responses.create(
    model="demo", input="Write a function.", max_output_tokens=8, temperature=0
).output_text
vectors = client.embeddings.create(model="demo", input=["one", "two"]).data
got["vectors"] = [len(vector.embedding) for vector in vectors]

# Answers are sent back as the package gives them, and as programs write them out.
with client.chat.completions.stream(**common, max_tokens=80, tools=[tool], tool_choice=named) as stream:
    streamed = stream.get_final_completion().choices[0].message
said = [whole, called, client.chat.completions.parse(**common, max_tokens=60, response_format=form)]
said = [answer.choices[0].message for answer in said] + [streamed]
got["sent_back"] = 0
for message in said + [message.model_dump() for message in said]:
    calls = (message["tool_calls"] if isinstance(message, dict) else message.tool_calls) or []
    ids = [call["id"] if isinstance(call, dict) else call.id for call in calls]
    after = [{"role": "tool", "tool_call_id": id, "content": "3"} for id in ids] or messages
    client.chat.completions.create(**{**common, "messages": messages + [message] + after}, max_tokens=1)
    got["sent_back"] += 1

try:
    client.chat.completions.create(**{**common, "model": "other"})
except openai.NotFoundError as error:
    got["missing"] = error.code
try:
    client.chat.completions.create(**common, reasoning_effort="high")
except openai.BadRequestError as error:
    got["refused"] = error.param


async def leave_in_the_middle() -> None:
    other = openai.AsyncOpenAI(base_url=BASE, api_key="none", max_retries=0)
    stream = await other.completions.create(
        model="demo", prompt="def f(", max_tokens=400, stream=True, extra_body={"ignore_eos": True}
    )
    async for _ in stream:
        break
    await stream.close()
    await other.close()


asyncio.run(leave_in_the_middle())
print(json.dumps(got))
