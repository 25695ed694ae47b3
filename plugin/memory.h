/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMORY_H
#define MEMORY_H

/*
 * Gives back what a flood, a reload or the start needed and nothing needs
 * now: free heap, and the pages of programs and libraries (they are read
 * again from the page cache when they are used again).  For quiet moments.
 */
void memory_give_back(void);

#endif /* MEMORY_H */
