#ifndef LATHE_COMMON_RANDOM_ID_H_
#define LATHE_COMMON_RANDOM_ID_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace lathe {

// 26 lower-case characters of Crockford's base 32 (ULID): 48 bits of milliseconds, then 80 random bits from the kernel.
// Text order follows time, so rows that are keyed by it are appended. Thread-safe.
std::string TimeOrderedId(int64_t now_micros);

// A random UUID (version 4), e.g. 5f0c954e-....
std::string RandomUuid();

// True when `text` may be a client-given id: 1 to 63 of a-z, 0-9 and '-', beginning with a letter and not ending with
// '-' (AIP-133).
bool IsResourceId(std::string_view text);

}  // namespace lathe

#endif  // LATHE_COMMON_RANDOM_ID_H_
