// The words that carry meaning: counted, weighted, with the spelling in which they are shown.
#include "terms.h"
#include "unicode.h"

// Words of the commonest languages that say nothing about a text, in lower case.
static const char stop_words[] =
    "the and for are but not you all any can had her was one our out has have him his how its may new now old see two "
    "way who did get let say she too use that with this from they will would there their what about which when make "
    "like time just know take into your some could them than then only come over also back after work first well even "
    "want because these give most been were more other such where while does being each between through before under "
    "very must should both same here those every without within another whether upon still since during however "
    "der die das und ist ein eine einen einem einer eines den dem des nicht auch sich mit von für auf als wird werden "
    "wurde wurden sind war waren hat haben hatte bei aus nach nur oder aber wie wenn dass daß durch über noch kann "
    "können muss müssen soll sollen sein seine seiner ihre ihrer ihren diese dieser dieses diesem zum zur vom beim ins "
    "man mehr sehr schon hier dort dann denn doch weil damit jede jeder jedes alle allem allen aller kein keine um zu "
    "les des une est dans pour que qui par sur pas plus avec sont aux son ses ces mais ont ils elle elles nous vous "
    "leur leurs cette comme tout tous fait été être avoir peut ainsi entre sans sous aussi dont donc très même où "
    "los las del una unos unas que por con para como más pero sus este esta estos estas ese esa son fue ser está están "
    "han hay entre cuando muy sin sobre también hasta desde todo todos nos donde porque cada otro otra ya qué así "
    "della delle degli dei nel nella che con per una uno non sono come più anche alla alle gli dal dalla questo questa "
    "essere stato hanno suo sua loro ogni dos das uma não com são mais como mas foi pela pelo até isso ele ela seu sua "
    "het een van dat niet zijn voor met als maar ook door naar aan bij deze dit wordt worden heeft meer nog wel geen "
    "jest nie się jak dla tego jego przez oraz ale tak jako był była było może tym czy ich który która które "
    "что это как так его она они мне было был была были быть для или при если все всё еще ещё уже нет тот эта эти этот "
    "того этого этой тем чем без под над про где когда чтобы также только может можно между после через есть который "
    "которая которые которых которого свой своей своих себя там тут вот лишь более очень него нее неё них нам нас вам "
    "вас один одна одно как-то из-за потому поэтому сам сама самый каждый "
    "من في على إلى الى عن مع هذا هذه ذلك تلك التي الذي الذين كان كانت يكون تكون قد لقد كل بعض غير بين حتى عند عندما "
    "لم لن ما لا إن أن أنه انه وهو وهي هو هي هم ثم أو كما حيث بعد قبل منذ أي فيه فيها منه منها عليه عليها وقد ولا وفي "
    "ومن وعلى خلال لها له لهم بها به";

// Pairs with one of these are grammar, not words.
static const char grammar_characters[] =
    "的 了 是 在 和 一 不 我 有 他 这 這 们 們 个 個 也 就 到 说 說 要 会 會 可 以 与 與 及 或 于 於 其 中 为 為 之 而 被 把 等 从 從 你 她 它 很 都";

static const u64 seed = 1469598103934665603ull;

static u64 mix(u64 key, u32 character) {
  for (u32 shift = 0; shift < 24; shift += 8) key = (key ^ (character >> shift & 0xFF)) * 1099511628211ull;
  return key;
}

// Equal for spellings of one word: lower case, without the plural or possessive s of English.
static u64 key_of(Slice word, u32 *characters, u32 *digits) {
  u64 key = seed, without_last = seed;
  u32 count = 0, last = 0, before = 0, ascii = 1;
  *digits = 0;
  for (u32 at = 0; at < word.size;) {
    u32 character = to_lower(next_character(word, &at));
    if (character == 0x2019) character = '\'';
    if (character >= 0x80) ascii = 0;
    *digits += (u32)is_digit(character);
    without_last = key;
    before = last;
    last = character;
    key = mix(key, character);
    count++;
  }
  *characters = count;
  int plural = ascii && count >= 5 && last == 's' && before != 's' && before != 'u' && before != 'i' && before != '\'';
  return plural ? without_last : key;
}

static int holds(const WordSet *set, u64 key) {
  for (u32 slot = (u32)key & (set->slots - 1); set->keys[slot]; slot = (slot + 1) & (set->slots - 1))
    if (set->keys[slot] == key) return 1;
  return 0;
}

WordSet new_word_set(const char *words, u32 slots) {
  WordSet set = {take(slots * sizeof(u64)), slots};
  for (;;) {
    u32 size = 0, characters, digits;
    while (words[size] && words[size] != ' ') size++;
    u64 key = key_of((Slice){(const u8 *)words, size}, &characters, &digits);
    if (!holds(&set, key)) {
      u32 slot = (u32)key & (slots - 1);
      while (set.keys[slot]) slot = (slot + 1) & (slots - 1);
      set.keys[slot] = key;
    }
    if (!words[size]) return set;
    words += size + 1;
  }
}

int has_word(const WordSet *set, Slice word) {
  u32 characters, digits;
  return holds(set, key_of(word, &characters, &digits));
}

Vocabulary new_vocabulary(void) {
  Vocabulary vocabulary = {.room = 512, .slot_count = 1024};
  vocabulary.terms = take(vocabulary.room * sizeof(Term));
  vocabulary.slots = take(vocabulary.slot_count * sizeof(u32));
  vocabulary.stops = new_word_set(stop_words, 2048);
  vocabulary.grammar = new_word_set(grammar_characters, 256);
  return vocabulary;
}

static void grow(Vocabulary *vocabulary) {
  Term *terms = take(2 * vocabulary->room * sizeof(Term));
  copy(terms, vocabulary->terms, vocabulary->room * sizeof(Term));
  vocabulary->terms = terms;
  vocabulary->room *= 2;
  vocabulary->slot_count *= 2;
  vocabulary->slots = take(vocabulary->slot_count * sizeof(u32));
  for (u32 i = 0; i < vocabulary->count; i++) {
    u32 slot = (u32)terms[i].key & (vocabulary->slot_count - 1);
    while (vocabulary->slots[slot]) slot = (slot + 1) & (vocabulary->slot_count - 1);
    vocabulary->slots[slot] = i + 1;
  }
}

static u32 count_term(Vocabulary *vocabulary, Term seen) {
  u32 slot = (u32)seen.key & (vocabulary->slot_count - 1);
  while (vocabulary->slots[slot]) {
    Term *known = &vocabulary->terms[vocabulary->slots[slot] - 1];
    if (known->key == seen.key) {
      known->count++;
      if (seen.rank > known->rank) known->rank = seen.rank;
      // A word that begins a sentence may owe its capital letter to that.
      if (seen.is_inside && !known->is_inside) {
        known->shown = seen.shown;
        known->is_inside = 1;
      }
      return vocabulary->slots[slot] - 1;
    }
    slot = (slot + 1) & (vocabulary->slot_count - 1);
  }
  if (vocabulary->count == vocabulary->room) {
    grow(vocabulary);
    return count_term(vocabulary, seen);
  }
  vocabulary->terms[vocabulary->count] = seen;
  vocabulary->slots[slot] = ++vocabulary->count;
  return vocabulary->count - 1;
}

u32 count_word(Vocabulary *vocabulary, Slice word, u32 rank, int begins_sentence) {
  u32 characters, digits;
  u64 key = key_of(word, &characters, &digits);
  if (characters < 3 || characters > 40 || digits * 2 > characters || holds(&vocabulary->stops, key)) return NO_TERM;
  int is_inside = !begins_sentence && !rank;
  return count_term(vocabulary, (Term){.key = key, .count = 1, .shown = word, .rank = (u8)rank,
                                       .is_inside = (u8)is_inside});
}

u32 count_pair(Vocabulary *vocabulary, Slice pair, u32 rank) {
  u64 key = seed;
  for (u32 at = 0; at < pair.size;) {
    u32 character = next_character(pair, &at);
    key = mix(key, character);
    if (holds(&vocabulary->grammar, mix(seed, character))) return NO_TERM;
  }
  return count_term(vocabulary, (Term){.key = key ^ 1, .count = 1, .shown = pair, .rank = (u8)rank, .is_pair = 1});
}

static u32 root(u32 square) {
  u32 low = 0, high = 65535;
  while (low < high) {
    u32 middle = (low + high + 1) / 2;
    if (middle * middle <= square) low = middle;
    else high = middle - 1;
  }
  return low;
}

void weigh(Vocabulary *vocabulary) {
  for (u32 i = 0; i < vocabulary->count; i++) {
    Term *term = &vocabulary->terms[i];
    u32 count = term->count < 10000 ? term->count : 10000;
    // The tenth mention adds less than the second; a word said once says little, unless a heading says it.
    u32 weight = count == 1 && !term->rank ? 4 : root(count * 256);
    term->weight = weight * (2 + term->rank) / 2;
  }
}
