// Cuts clean blocks into sentences and their terms.
#include "sentences.h"
#include "unicode.h"

#define LONGEST_SHORT_FORM 5u

static const char short_forms[] =
    "mr mrs ms dr prof sr jr st mt vs etc approx fig figs no nos vol vols p pp ed eds al inc ltd co corp dept est gen "
    "col lt sgt capt rev hon pres gov sen rep jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat "
    "sun resp incl cf ca nr bzw usw evtl ggf vgl bspw sog zzt abs str hr fr bd hrsg geb gest inkl exkl max min tel "
    "mme mlle env chap art dir num pág págs sra srta dra ud uds avda ed núm тыс млн млрд руб гл рис табл см ср ул пр "
    "им напр проф акад гг вв др пр т г в с";

// What stands before an ordinal number in the languages that write one with a full stop.
static const char articles[] = "am im der die das den dem des vom zum zur bis ab seit und nr jeder jede jedes ihr sein";

typedef struct {
  WordSet short_forms, articles;
} Stops;

// The end of a run of letters that `from` begins, and how many they are.
static u32 letters(Slice run, u32 from, u32 *count) {
  *count = 0;
  for (u32 at = from; at < run.size;) {
    u32 end = at;
    if (!is_word(next_character(run, &at))) return end;
    ++*count;
  }
  return run.size;
}

// Whether the number at `run` counts ("am 3. Mai", "1. Open it") rather than ends a sentence ("It cost 5. We paid.").
static int is_ordinal(const WordSet *articles, Slice block, u32 run) {
  u32 end = run;
  while (end > 0 && block.at[end - 1] == ' ') end--;
  u32 begin = end;
  while (begin > 0 && block.at[begin - 1] != ' ') begin--;
  return begin == end || has_word(articles, (Slice){block.at + begin, end - begin});
}

// Whether the full stop at `mark` belongs to a short form, an initial or an ordinal; its word begins behind `run`.
static int is_short_form(const Stops *known, Slice block, u32 from, u32 mark) {
  Slice run = {block.at + from, mark - from};
  u32 begin = 0, count, parts = 0;
  for (u32 at = 0; at < run.size && !is_word(next_character(run, &at));) begin = at;
  run = (Slice){run.at + begin, run.size - begin};
  if (!run.size) return 0;
  u32 end = letters(run, 0, &count);
  if (end == run.size) {
    u32 digits = 0;
    while (digits < run.size && is_digit(run.at[digits])) digits++;
    if (digits == run.size) return digits <= 2 && is_ordinal(&known->articles, block, from);
    return count == 1 || (count <= LONGEST_SHORT_FORM && has_word(&known->short_forms, run));
  }
  // "e.g", "z.B", "U.S.A": letters in ones and twos with stops between.
  for (begin = 0;; begin = end + 1, parts++) {
    end = letters(run, begin, &count);
    if (count < 1 || count > 2 || is_digit(run.at[begin])) return 0;
    if (end == run.size) return parts > 0;
    if (run.at[end] != '.') return 0;
  }
}

// Whether a sentence ends before `at`; the mark that may end it is at `mark`, and the word before it began at `run`.
static int ends_here(const Stops *known, Slice block, u32 at, u32 mark, u32 run, int plain_stop) {
  if (at >= block.size) return 1;
  u32 next = at;
  u32 character = next_character(block, &next);
  if (is_unspaced(character)) return !plain_stop;
  if (!is_space(character)) return 0;
  while (next < block.size && (is_space(character) || (character < 0x80 && !is_word(character))))
    character = next_character(block, &next);
  if (is_lower(character)) return 0;
  return !(plain_stop && is_short_form(known, block, run, mark));
}

static u32 sentence_end(const Stops *known, Slice block, u32 at) {
  u32 run = at;
  while (at < block.size) {
    u32 mark = at;
    u32 character = next_character(block, &at);
    if (is_space(character)) run = at;
    int kind = ends_sentence(character);
    if (!kind) continue;
    int plain_stop = character == '.';
    while (at < block.size) {
      u32 behind = at;
      character = next_character(block, &behind);
      int more = ends_sentence(character);
      if (!more && !is_closer(character)) break;
      if (more) plain_stop = 0;
      if (more > kind) kind = more;
      at = behind;
    }
    if (kind == 2 || ends_here(known, block, at, mark, run, plain_stop)) return at;
  }
  return block.size;
}

static void add_term(Sentences *sentences, u32 term) {
  if (term == NO_TERM) return;
  if (sentences->term_count == sentences->term_room) {
    u32 *more = take(2 * sentences->term_room * sizeof(u32));
    copy(more, sentences->terms, sentences->term_room * sizeof(u32));
    sentences->terms = more;
    sentences->term_room *= 2;
  }
  sentences->terms[sentences->term_count++] = term;
}

// Counts the words of one sentence; returns its length.
static u32 read_words(Sentences *sentences, Vocabulary *vocabulary, Slice text, u32 rank) {
  u32 spaced = 0, unspaced = 0, previous = NO_PLACE;
  for (u32 at = 0; at < text.size;) {
    u32 begin = at;
    u32 character = next_character(text, &at);
    if (is_unspaced(character)) {
      unspaced++;
      u32 terse = is_terse(character);
      if (terse && previous != NO_PLACE)
        add_term(sentences, count_pair(vocabulary, (Slice){text.at + previous, at - previous}, rank));
      previous = terse ? begin : NO_PLACE;
      continue;
    }
    previous = NO_PLACE;
    if (!is_word(character)) continue;
    u32 end = at;
    while (at < text.size) {
      u32 behind = at;
      character = next_character(text, &behind);
      if (is_word(character) && !is_unspaced(character)) end = behind;
      else if (!is_joiner(character) || end != at) break;
      at = behind;
    }
    at = end;
    Slice word = {text.at + begin, end - begin};
    add_term(sentences, count_word(vocabulary, word, rank, spaced + unspaced == 0));
    spaced++;
  }
  sentences->words += spaced + unspaced;
  return spaced + unspaced * 3 / 5;
}

static void add_sentence(Sentences *sentences, Sentence sentence) {
  if (sentences->count == sentences->room) {
    Sentence *more = take(2 * sentences->room * sizeof(Sentence));
    copy(more, sentences->all, sentences->room * sizeof(Sentence));
    sentences->all = more;
    sentences->room *= 2;
  }
  sentences->all[sentences->count++] = sentence;
}

static int is_finished(Slice text) {
  for (u32 at = text.size; at > 0;) {
    u32 begin = at - 1;
    while (begin > 0 && (text.at[begin] & 0xC0) == 0x80) begin--;
    u32 behind = begin;
    u32 character = next_character(text, &behind);
    if (ends_sentence(character)) return 1;
    if (!is_closer(character)) return 0;
    at = begin;
  }
  return 0;
}

static Slice trim(Slice text) {
  while (text.size && text.at[text.size - 1] == ' ') text.size--;
  while (text.size && text.at[0] == ' ') text = (Slice){text.at + 1, text.size - 1};
  return text;
}

Sentences read_sentences(const Prose *prose, Vocabulary *vocabulary) {
  Sentences sentences = {.room = 256, .term_room = 1024};
  sentences.all = take(sentences.room * sizeof(Sentence));
  sentences.terms = take(sentences.term_room * sizeof(u32));
  Stops known = {new_word_set(short_forms, 512), new_word_set(articles, 64)};
  u32 headings = 0;
  for (u32 b = 0; b < prose->count; b++) {
    Block block = prose->blocks[b];
    Slice text = {prose->text.at + block.begin, block.end - block.begin};
    u32 rank = block.kind != HEADING ? 0 : headings++ ? 1 : 2;
    for (u32 at = 0; at < text.size;) {
      u32 end = block.kind == HEADING ? text.size : sentence_end(&known, text, at);
      Slice part = trim((Slice){text.at + at, end - at});
      u32 first = sentences.term_count, words = sentences.words;
      u32 length = read_words(&sentences, vocabulary, part, rank);
      if (block.kind != HEADING && sentences.words > words)
        add_sentence(&sentences, (Sentence){.text = part, .first_term = first,
                                            .term_count = sentences.term_count - first, .length = length,
                                            .kind = block.kind, .is_finished = (u8)is_finished(part)});
      at = end;
    }
  }
  return sentences;
}
