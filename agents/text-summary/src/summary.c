// Ranks sentences by the words they share with the whole text and prints the best ones in their order.
#include "json.h"
#include "sentences.h"

#define KEYWORDS 8u
#define CANDIDATES 32u
#define SHORT_TEXT 200u // terms of a text so short that words said once may be keywords
#define LONGEST 2000u // bytes of a sentence that are shown

static int contains(Slice text, const char *wanted) {
  for (u32 i = 0; i < text.size; i++) {
    u32 k = 0;
    while (wanted[k] && i + k < text.size && text.at[i + k] == (u8)wanted[k]) k++;
    if (!wanted[k]) return 1;
  }
  return 0;
}

// What the form and place of a sentence are worth, in percent; `place` counts the prose before it.
static u32 standing(const Sentence *sentence, u32 place) {
  u32 percent = 100 + 120 / (2 + place);
  if (sentence->kind == ITEM) percent = percent * 7 / 10;
  if (!sentence->is_finished) percent = percent * 6 / 10;
  if (sentence->length < 5) percent = percent * 3 / 10;
  if (sentence->length > 50) percent = percent * 6 / 10;
  if (sentence->text.at[sentence->text.size - 1] == ':') percent = percent * 4 / 10;
  if (contains(sentence->text, "://")) percent = percent * 6 / 10;
  return percent;
}

typedef struct {
  const Sentences *sentences;
  u32 *weights;   // by term; falls when a chosen sentence has said it
  u32 *marks;     // by term: the last question in which it was counted
  u32 *standings; // by sentence
  u8 *chosen;
} Ranking;

static u64 score(Ranking *ranking, u32 index, u32 question) {
  const Sentence *sentence = &ranking->sentences->all[index];
  u64 sum = 0;
  for (u32 i = 0; i < sentence->term_count; i++) {
    u32 term = ranking->sentences->terms[sentence->first_term + i];
    if (ranking->marks[term] == question) continue;
    ranking->marks[term] = question;
    sum += ranking->weights[term];
  }
  u32 length = sentence->length < 12 ? 12 : sentence->length;
  return sum * ranking->standings[index] * 64 / (length + 6);
}

static u32 choose(Ranking *ranking, u32 wanted) {
  u32 chosen = 0, question = 0, count = ranking->sentences->count;
  while (chosen < wanted && chosen < count) {
    u32 best = NO_PLACE;
    u64 best_score = 0;
    for (u32 i = 0; i < count; i++) {
      if (ranking->chosen[i]) continue;
      u64 worth = score(ranking, i, ++question);
      // Ties go to the earlier sentence, so that the order of search decides nothing.
      if (best == NO_PLACE || worth > best_score) {
        best = i;
        best_score = worth;
      }
    }
    ranking->chosen[best] = 1;
    chosen++;
    const Sentence *sentence = &ranking->sentences->all[best];
    for (u32 i = 0; i < sentence->term_count; i++) ranking->weights[ranking->sentences->terms[sentence->first_term + i]] /= 3;
  }
  return chosen;
}

static u8 *rank(const Sentences *sentences, const Vocabulary *vocabulary, u32 wanted) {
  Ranking ranking = {.sentences = sentences};
  ranking.weights = take((vocabulary->count + 1) * sizeof(u32));
  ranking.marks = take((vocabulary->count + 1) * sizeof(u32));
  ranking.standings = take((sentences->count + 1) * sizeof(u32));
  ranking.chosen = take(sentences->count + 1);
  for (u32 i = 0; i < vocabulary->count; i++) ranking.weights[i] = vocabulary->terms[i].weight;
  u32 place = 0;
  for (u32 i = 0; i < sentences->count; i++) {
    ranking.standings[i] = standing(&sentences->all[i], place);
    place += sentences->all[i].kind == PROSE;
  }
  choose(&ranking, wanted);
  return ranking.chosen;
}

// A sentence as it is shown: whole, or cut at a word with an ellipsis.
static void add_shown(Buffer *out, Slice text) {
  if (text.size <= LONGEST) {
    add_bytes(out, text);
    return;
  }
  u32 size = LONGEST;
  while (size > LONGEST / 2 && text.at[size] != ' ') size--;
  if (size == LONGEST / 2)
    for (size = LONGEST; (text.at[size] & 0xC0) == 0x80;) size--;
  add_bytes(out, (Slice){text.at, size});
  add_text(out, "\u2026");
}

static int outranks(const Term *left, const Term *right) {
  u32 one = left->count * (2 + left->rank), other = right->count * (2 + right->rank);
  return one > other || (one == other && left->count == 1 && left->shown.size > right->shown.size);
}

// Two pairs that overlap and are always said together are one word of an unspaced script.
static int join_pairs(Term *left, Term *right) {
  if (!left->is_pair || !right->is_pair || left->count != right->count) return 0;
  const u8 *left_end = left->shown.at + left->shown.size;
  u32 tail = 1;
  while ((left_end[-(i32)tail] & 0xC0) == 0x80) tail++;
  if (left->shown.size > 18 || right->shown.at != left_end - tail) return 0;
  left->shown.size += right->shown.size - tail;
  return 1;
}

static u32 pick_keywords(const Vocabulary *vocabulary, Term *best) {
  u32 count = 0;
  for (u32 i = 0; i < vocabulary->count; i++) {
    const Term *term = &vocabulary->terms[i];
    int is_short = vocabulary->count <= SHORT_TEXT && !term->is_pair;
    if (term->count == 1 && !term->rank && !is_short) continue;
    u32 at = count;
    while (at > 0 && outranks(term, &best[at - 1])) at--;
    if (at == CANDIDATES) continue;
    if (count < CANDIDATES) count++;
    for (u32 k = count - 1; k > at; k--) best[k] = best[k - 1];
    best[at] = *term;
  }
  for (u32 i = 0; i < count; i++)
    for (u32 k = 0; k < count;) {
      if (k == i || !join_pairs(&best[i], &best[k])) {
        k++;
        continue;
      }
      for (u32 m = k; m + 1 < count; m++) best[m] = best[m + 1];
      count--;
      if (k < i) i--;
      k = 0;
    }
  return count < KEYWORDS ? count : KEYWORDS;
}

static void print(const Sentences *sentences, const u8 *chosen, const Vocabulary *vocabulary) {
  Buffer out = new_buffer(65536), part = new_buffer(65536), summary = new_buffer(65536);
  Term *best = take(CANDIDATES * sizeof(Term));
  u32 keywords = pick_keywords(vocabulary, best);
  add_text(&out, "{\"keywords\":[");
  for (u32 i = 0; i < keywords; i++) {
    if (i) add_byte(&out, ',');
    add_json_string(&out, best[i].shown);
  }
  add_text(&out, "],\"sentences\":[");
  for (u32 i = 0, first = 1; i < sentences->count; i++) {
    if (!chosen[i]) continue;
    if (!first) add_byte(&out, ',');
    part.size = 0;
    add_shown(&part, sentences->all[i].text);
    add_json_string(&out, (Slice){part.at, part.size});
    if (!first) add_byte(&summary, ' ');
    add_bytes(&summary, (Slice){part.at, part.size});
    first = 0;
  }
  add_text(&out, "],\"summary\":");
  add_json_string(&out, (Slice){summary.at, summary.size});
  add_text(&out, ",\"words\":");
  add_number(&out, sentences->words);
  add_text(&out, "}\n");
  write_all(1, out.at, out.size);
}

__attribute__((export_name("_start"))) void start(void) {
  Task task = read_task(read_all(MAX_TASK));
  Prose prose = read_markdown(task.text);
  Vocabulary vocabulary = new_vocabulary();
  Sentences sentences = read_sentences(&prose, &vocabulary);
  weigh(&vocabulary);
  print(&sentences, rank(&sentences, &vocabulary, task.sentences), &vocabulary);
}
