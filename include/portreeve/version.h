/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PR_VERSION_H
#define PR_VERSION_H

#define PR_VERSION "0.1.0"

#endif /* PR_VERSION_H */
