// The words that carry meaning: counted, weighted, with the spelling in which they are shown.
#pragma once
#include "platform.h"

typedef struct {
  u64 key;
  u32 count;
  u32 weight;
  Slice shown;
  u8 rank;      // 2: in the title, 1: in another heading, 0: in prose only
  u8 is_pair;   // two characters of an unspaced script
  u8 is_inside; // the shown spelling does not begin a sentence
} Term;

// A fixed set of words, by key.
typedef struct {
  u64 *keys;
  u32 slots; // a power of two
} WordSet;

typedef struct {
  Term *terms;
  u32 count, room;
  u32 *slots;     // open addressing: index + 1 of a term, 0 when free
  u32 slot_count; // a power of two
  WordSet stops;  // words without meaning of their own
  WordSet grammar; // characters that make a pair grammar
} Vocabulary;

#define NO_TERM 0xFFFFFFFFu

// `words` are separated by single spaces and in lower case; `slots` is a power of two and at least twice their number.
WordSet new_word_set(const char *words, u32 slots);
int has_word(const WordSet *set, Slice word);
Vocabulary new_vocabulary(void);
// Index of the term that `word` stands for, counted once more; NO_TERM for words that carry no meaning.
u32 count_word(Vocabulary *vocabulary, Slice word, u32 rank, int begins_sentence);
u32 count_pair(Vocabulary *vocabulary, Slice pair, u32 rank);
// Fills in every term's weight; call it once, when everything is counted.
void weigh(Vocabulary *vocabulary);
