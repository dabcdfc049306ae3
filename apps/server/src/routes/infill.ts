import type { Completion, GenerateOptions } from "@llm/generate";
import {
  chosenFields,
  type InfillAnswer,
  type InfillRequest,
  infillPiece,
  infillRequest,
  infillTimings,
  read,
  type StopType,
  samplingOf,
} from "@llm/protocol";
import { infillPrompt } from "../answer/infill-prompt.ts";
import { LineLimits } from "../answer/line-limits.ts";
import { type Ask, stateOf, times } from "../engine/answers.ts";
import { type RouteContext, streamTo } from "./context.ts";

/** Tokens of an answer where nothing is said: some lines. */
const DEFAULT_TOKENS = 128;

/** No slot in particular. */
const ANY_SLOT = -1;

/** `POST /infill`, in the form of llama-server's editors */
export function infillRoutes({ app, turns }: RouteContext): void {
  app.post("/infill", async (request, reply) => {
    const body = read(infillRequest, request.body);
    const turn = await turns.begin(request, reply, body.model, 1);
    // Editors that want nothing have other files read before they are needed: the first token is asked for, and dropped.
    const isWarming = body.n_predict === 0;
    const most = isWarming ? 1 : mostOf(body, turn.generator.scheduler.room);
    const prompt = infillPrompt(body, turn.generator, most);
    const limits = new LineLimits({ empty: isWarming, indent: body.n_indent ?? 0, ...ms(body.t_max_predict_ms) });
    const enough = new AbortController();
    const ids: number[] = [];
    const began = performance.now();
    let first = began;
    let heard = 0; // characters of tokens
    let fresh = ""; // within the limits, and not sent

    /** At each token, however many go out in one piece: what comes after the limit isn't counted. */
    const onToken: GenerateOptions["onToken"] = ({ id }, piece) => {
      heard += piece.length;
      if (limits.over) return;
      if (ids.length === 0) first = performance.now();
      ids.push(id);
      fresh += limits.push(piece);
      if (limits.over) enough.abort(new DOMException("the line is complete", "AbortError"));
    };
    const options = {
      ...optionsOf(body, most),
      inText: true,
      stopTokens: turn.generator.tokenizer.infillEnds,
      onToken,
    };
    const [ask] = times({ prompt: prompt.ids, options }, 1, stateOf(body.seed));
    const asks: Ask[] = [{ ...ask, until: enough.signal }];
    let delivered = 0;
    const answered = (onPiece: (text: string) => Promise<void>): Promise<Completion | undefined> =>
      turn
        .answer(asks, async ({ text }) => {
          delivered += text.length;
          // An answer's end may have been held back behind its last token.
          const rest = text.slice(text.length - Math.max(0, delivered - heard));
          if (rest !== "" && !limits.over) fresh += limits.push(rest);
          const piece = fresh;
          fresh = "";
          if (piece !== "") await onPiece(piece);
        })
        .then(
          ([completion]) => completion,
          (error) => {
            if (!enough.signal.aborted || turn.signal.aborted) throw error;
            return undefined;
          },
        );
    const finish = (said: Completion | undefined): object => {
      const cached = said?.usage.cachedTokens ?? 0;
      const timings = infillTimings(
        { tokens: prompt.ids.length - cached, ms: first - began },
        { tokens: ids.length, ms: performance.now() - first },
      );
      const answer: InfillAnswer = {
        content: limits.text,
        tokens: ids,
        id_slot: ANY_SLOT,
        stop: true,
        model: turn.model,
        tokens_predicted: ids.length,
        tokens_evaluated: prompt.ids.length,
        tokens_cached: cached,
        has_new_line: limits.text.includes("\n"),
        truncated: prompt.truncated,
        ...stopOf(isWarming ? undefined : said),
        timings,
      };
      return chosenFields(answer, body.response_fields);
    };

    if (!body.stream) {
      const said = await answered(async () => {});
      limits.end();
      return finish(said);
    }
    return streamTo(request, reply, { done: false }, async (stream) => {
      const said = await answered((text) => stream.send(infillPiece(text, ids.length, prompt.ids.length)));
      const rest = fresh + limits.end();
      if (rest !== "") await stream.send(infillPiece(rest, ids.length, prompt.ids.length));
      await stream.send(finish(said));
    });
  });
}

const ms = (limit: number | null | undefined): { readonly ms?: number } =>
  limit === null || limit === undefined ? {} : { ms: limit };

function mostOf({ n_predict: most }: InfillRequest, room: number): number {
  if (most === -1) return Math.floor(room / 2);
  return Math.min(most ?? DEFAULT_TOKENS, Math.floor(room / 2));
}

function optionsOf(body: InfillRequest, maxNewTokens: number): Ask["options"] {
  const { temperature, top_k, top_p, min_p, stop } = body;
  return {
    ...samplingOf({ temperature, top_k, top_p, min_p, stop }),
    maxNewTokens,
  };
}

/** Why the answer ended. Nothing is known of one that a line's end ended but that. */
function stopOf(said: Completion | undefined): { readonly stop_type: StopType; readonly stopping_word: string } {
  if (!said || said.finishReason === "length") return { stop_type: "limit", stopping_word: "" };
  const { stoppedBy: word } = said;
  return word === undefined ? { stop_type: "eos", stopping_word: "" } : { stop_type: "word", stopping_word: word };
}
