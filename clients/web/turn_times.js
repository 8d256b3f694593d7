// TurnTimes: where the time of each turn went, from your last sound to the first sound of the reply.
// Pure: told events and moments, it gives turns. The server's own stages are used where it tells
// them; what is missing up to what the page itself measured is the way between the two.

const STAGE_NAMES = {
  endpoint_wait: "waiting for the end",
  final_transcript: "transcript",
  first_llm_token: "first word of the answer",
  first_clause: "first clause",
  phonemes: "phonemes",
  prefill: "planning the sound",
  first_semantic_token: "first token",
  first_audio_chunk: "first sound made",
  pipeline: "queues",
};
const EAR = "to your ear";
export const COLOURED = [...Object.values(STAGE_NAMES), EAR]; // a stage has the same colour in every turn
const PLAYED_STAGE = "first_sample_played"; // the page knows better when it was
const MOST_TURNS = 50;

export class TurnTimes {
  constructor() {
    this.turns = []; // newest first
    this.current = null;
  }

  // The user's speech ended `waitedMs` before this moment; a typed message, just now.
  begin(now, waitedMs = 0) {
    this.current = { start: now - waitedMs, marks: [["waiting for the end", now]] };
    if (waitedMs === 0) this.current.marks = [];
  }

  push(event, now) {
    switch (event.type) {
      case "response.created":
        this.#open(event.response.id, now);
        break;
      case "conversation.item.input_audio_transcription.completed":
        this.#mark("transcript", now);
        break;
      case "response.output_text.delta":
      case "response.output_audio_transcript.delta":
        this.#mark("first word of the answer", now);
        break;
      case "response.output_audio.delta":
        this.#mark("first sound made", now);
        this.#itemOf(event);
        break;
      case "selftalk.turn.report":
        this.#report(event);
        break;
    }
  }

  // The first sample of an item left the loudspeaker.
  heard(itemId, now) {
    const turn = this.turns.find((one) => one.itemId === itemId);
    if (!turn || turn.totalMs !== null) return null;
    turn.marks.push([EAR, now]);
    turn.totalMs = now - turn.start;
    return turn;
  }

  // Stages of a turn as {name, colour, startMs, ms}, one after another, the whole being its total.
  stages(turn) {
    const spans = turn.server ? this.#serverSpans(turn) : this.#ownSpans(turn);
    let startMs = 0;
    return spans.map(([name, ms]) => {
      const stage = { name, colour: COLOURED.indexOf(name), startMs, ms };
      startMs += ms;
      return stage;
    });
  }

  medianMs() {
    const totals = this.turns.map((turn) => turn.totalMs).filter((ms) => ms !== null);
    totals.sort((a, b) => a - b);
    const half = totals.length >> 1;
    if (!totals.length) return null;
    return totals.length % 2 ? totals[half] : (totals[half - 1] + totals[half]) / 2;
  }

  #open(responseId, now) {
    const { start, marks } = this.current ?? { start: now, marks: [] };
    const turn = { responseId, itemId: null, start, marks, totalMs: null, server: null };
    this.current = null;
    this.turns.unshift(turn);
    this.turns.length = Math.min(this.turns.length, MOST_TURNS);
  }

  #itemOf(event) {
    const turn = this.turns.find((one) => one.responseId === event.response_id);
    if (turn && turn.itemId === null) turn.itemId = event.item_id;
  }

  #mark(name, now) {
    const marks = (this.current ?? this.turns[0])?.marks;
    if (marks && !marks.some(([known]) => known === name)) marks.push([name, now]);
  }

  #report(event) {
    const turn = this.turns.find((one) => one.responseId === event.response_id);
    if (turn) turn.server = event.stages;
  }

  #ownSpans(turn) {
    let before = turn.start;
    return turn.marks.map(([name, at]) => {
      const span = [name, Math.max(0, at - before)];
      before = Math.max(before, at);
      return span;
    });
  }

  #serverSpans(turn) {
    const spans = Object.entries(turn.server)
      .filter(([name, ms]) => name !== PLAYED_STAGE && ms >= 0.5)
      .map(([name, ms]) => [STAGE_NAMES[name] ?? name.replaceAll("_", " "), ms]);
    const known = spans.reduce((sum, [, ms]) => sum + ms, 0);
    const rest = (turn.totalMs ?? known) - known;
    return rest > 0.5 ? [...spans, [EAR, rest]] : spans;
  }
}
