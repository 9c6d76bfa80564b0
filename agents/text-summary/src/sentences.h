// Cuts clean blocks into sentences and their terms.
#pragma once
#include "markdown.h"
#include "terms.h"

typedef struct {
  Slice text;
  u32 first_term, term_count; // in Sentences.terms
  u32 length;                 // in words; characters of unspaced scripts count three fifths
  Kind kind;
  u8 is_finished; // it ends with a mark that ends sentences
} Sentence;

typedef struct {
  Sentence *all;
  u32 count, room;
  u32 *terms;
  u32 term_count, term_room;
  u32 words; // in headings too; every character of an unspaced script is one
} Sentences;

Sentences read_sentences(const Prose *prose, Vocabulary *vocabulary);
