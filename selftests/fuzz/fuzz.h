/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a fuzzer is, to libFuzzer and to engine.c alike.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Called once before the first input; may be absent. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Any input must come to its end; a crash, an abort and a sanitizer's report
 * are failures. Return: 0
 */
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

#endif /* FUZZ_H */
