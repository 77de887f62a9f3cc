#ifndef LATHE_WIRE_UTF8_H_
#define LATHE_WIRE_UTF8_H_

namespace google::protobuf {
class Message;
}

namespace lathe {

// Makes every string field of the message, and of those in it, UTF-8 as proto3 demands (common/utf8.h). For messages
// that quote models: clients in other languages refuse to parse one bad byte.
void MakeUtf8(google::protobuf::Message* message);

}  // namespace lathe

#endif  // LATHE_WIRE_UTF8_H_
