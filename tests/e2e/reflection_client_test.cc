// A client that has no generated code of lathe.v1: it learns the API from the server's reflection service, and drives
// upload, submit, watch and download by dynamic messages, as clients in any language can.

#include <fcntl.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/util/json_util.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "absl/strings/str_format.h"
#include "common/digest.h"
#include "reflection.grpc.pb.h"
#include "tests/support/shared_dir.h"

namespace lathe {
namespace {

namespace pb = google::protobuf;
using grpc::reflection::v1alpha::ServerReflection;
using grpc::reflection::v1alpha::ServerReflectionRequest;
using grpc::reflection::v1alpha::ServerReflectionResponse;

// Descriptors by asking the server.
class ReflectionDatabase final : public pb::DescriptorDatabase {
 public:
  explicit ReflectionDatabase(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(ServerReflection::NewStub(channel)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(120));
    stream_ = stub_->ServerReflectionInfo(&context_);
  }
  ~ReflectionDatabase() override {
    stream_->WritesDone();
    stream_->Finish();
  }
  std::set<std::string> Services() {
    ServerReflectionRequest request;
    request.set_list_services("");
    std::set<std::string> names;
    const ServerReflectionResponse response = Ask(request);
    for (const auto& service : response.list_services_response().service()) names.insert(service.name());
    return names;
  }
  bool FindFileByName(const std::string& name, pb::FileDescriptorProto* file) override {
    ServerReflectionRequest request;
    request.set_file_by_filename(name);
    Fetch(request);
    return files_.FindFileByName(name, file);
  }
  bool FindFileContainingSymbol(const std::string& symbol, pb::FileDescriptorProto* file) override {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(symbol);
    Fetch(request);
    return files_.FindFileContainingSymbol(symbol, file);
  }
  bool FindFileContainingExtension(const std::string&, int, pb::FileDescriptorProto*) override { return false; }

 private:
  ServerReflectionResponse Ask(const ServerReflectionRequest& request) {
    ServerReflectionResponse response;
    EXPECT_TRUE(stream_->Write(request));
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }
  // Keeps every file of the answer: it holds imports too, and gRPC 1.51 repeats those of the answers before.
  void Fetch(const ServerReflectionRequest& request) {
    const ServerReflectionResponse response = Ask(request);
    for (const std::string& bytes : response.file_descriptor_response().file_descriptor_proto()) {
      pb::FileDescriptorProto file;
      if (file.ParseFromString(bytes) && names_.insert(file.name()).second) files_.Add(file);
    }
  }
  std::set<std::string> names_;
  pb::SimpleDescriptorDatabase files_;
  grpc::ClientContext context_;
  std::unique_ptr<ServerReflection::Stub> stub_;
  std::unique_ptr<grpc::ClientReaderWriter<ServerReflectionRequest, ServerReflectionResponse>> stream_;
};

// The server program, on ports of its own choice. It dies with the test, also when that crashes, and holds none of its
// streams: whoever runs the test waits until they are closed.
class ServerProgram {
 public:
  ServerProgram(const std::string& bin_dir, const std::string& data_dir) {
    int out[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    const std::string program = bin_dir + "/lathe-server", log = data_dir + ".log";
    const char* const args[] = {program.c_str(), "--listen",       "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0",
                                "--data-dir",    data_dir.c_str(), "--log-level", "warning",          nullptr};
    pid_ = fork();
    if (pid_ == 0) {  // only calls that are safe after fork
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(out[1], STDOUT_FILENO);
      dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640), STDERR_FILENO);
      execv(args[0], const_cast<char* const*>(args));
      _exit(127);
    }
    close(out[1]);
    const std::string line = ReadLine(out[0]);
    close(out[0]);
    const size_t begin = line.find("\"grpc\":\"");
    if (begin == std::string::npos)
      throw std::runtime_error("the server is not ready: '" + line + "'");  // ends the test
    address_ = line.substr(begin + 8, line.find('"', begin + 8) - begin - 8);
  }
  ~ServerProgram() {
    if (pid_ > 0) Stop();
  }
  ServerProgram(const ServerProgram&) = delete;
  ServerProgram& operator=(const ServerProgram&) = delete;
  // Ends it with SIGTERM; returns its exit status, -1 after a signal.
  int Stop() {
    alarm(60);  // an answer to SIGTERM takes the drain's 30 s at most; the alarm ends the test, and with it the server
    int status = 0;
    kill(pid_, SIGTERM);
    waitpid(pid_, &status, 0);
    alarm(0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  const std::string& address() const { return address_; }

 private:
  // Up to the newline, the end, or 30 s without a byte.
  static std::string ReadLine(int fd) {
    std::string line;
    pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
    for (char c = 0; poll(&ready, 1, 30'000) == 1 && read(fd, &c, 1) == 1 && c != '\n';) line.push_back(c);
    return line;
  }
  pid_t pid_ = -1;
  std::string address_;
};

// Calls methods by name with messages in JSON.
class DynamicClient {
 public:
  explicit DynamicClient(const std::string& address)
      : channel_(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        database_(channel_),
        pool_(&database_),
        stub_(channel_) {}
  std::set<std::string> Services() { return database_.Services(); }

  // Sends all requests, then reads all answers; empty, with a test failure, when the call fails.
  std::vector<std::unique_ptr<pb::Message>> Call(const std::string& service, const std::string& method,
                                                 const std::vector<std::string>& requests) {
    std::vector<std::unique_ptr<pb::Message>> responses;
    const auto* descriptor = pool_.FindServiceByName("lathe.v1." + service);
    EXPECT_NE(descriptor, nullptr) << service;
    const pb::MethodDescriptor* rpc = descriptor == nullptr ? nullptr : descriptor->FindMethodByName(method);
    EXPECT_NE(rpc, nullptr) << method;
    if (rpc == nullptr) return responses;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    grpc::CompletionQueue queue;
    auto call = stub_.PrepareCall(&context, "/lathe.v1." + service + "/" + method, &queue);
    call->StartCall(Tag());
    Wait(queue);
    for (const std::string& json : requests) {
      call->Write(ToBuffer(*rpc->input_type(), json), Tag());
      if (!Wait(queue)) break;
    }
    call->WritesDone(Tag());
    Wait(queue);
    grpc::ByteBuffer buffer;
    for (call->Read(&buffer, Tag()); Wait(queue); call->Read(&buffer, Tag())) {
      responses.emplace_back(factory_.GetPrototype(rpc->output_type())->New());
      EXPECT_TRUE(responses.back()->ParseFromString(ToBytes(buffer)));
    }
    grpc::Status status;
    call->Finish(&status, Tag());
    Wait(queue);
    EXPECT_TRUE(status.ok()) << method << ": " << status.error_message();
    return responses;
  }
  std::unique_ptr<pb::Message> CallOne(const std::string& service, const std::string& method, const std::string& json) {
    auto responses = Call(service, method, {json});
    EXPECT_EQ(responses.size(), 1U) << method;
    return std::move(responses.at(0));  // ends the test when there is none
  }

 private:
  static void* Tag() { return nullptr; }
  static bool Wait(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  }
  grpc::ByteBuffer ToBuffer(const pb::Descriptor& type, const std::string& json) {
    const std::unique_ptr<pb::Message> message(factory_.GetPrototype(&type)->New());
    const auto status = pb::util::JsonStringToMessage(json, message.get());
    EXPECT_TRUE(status.ok()) << status.ToString();
    const grpc::Slice slice(message->SerializeAsString());
    return grpc::ByteBuffer(&slice, 1);
  }
  static std::string ToBytes(const grpc::ByteBuffer& buffer) {
    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(buffer.Dump(&slices).ok());
    std::string bytes;
    for (const grpc::Slice& slice : slices) bytes.append(slice.begin(), slice.end());
    return bytes;
  }
  std::shared_ptr<grpc::Channel> channel_;
  ReflectionDatabase database_;
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_;
  grpc::GenericStub stub_;
};

const pb::FieldDescriptor& Field(const pb::Message& message, const std::string& name) {
  const pb::FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr) throw std::runtime_error("no field " + name);  // ends the test
  return *field;
}
std::string Text(const pb::Message& message, const std::string& name) {
  return message.GetReflection()->GetString(message, &Field(message, name));
}
bool Has(const pb::Message& message, const std::string& name) {
  return message.GetReflection()->HasField(message, &Field(message, name));
}
const pb::Message& Sub(const pb::Message& message, const std::string& name) {
  return message.GetReflection()->GetMessage(message, &Field(message, name));
}

std::string Base64(const std::string& bytes) {
  std::string encoded;
  static const char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) encoded.push_back(i + k > bytes.size() ? '=' : kDigits[group >> (18 - 6 * k) & 63]);
  }
  return encoded;
}

class ReflectionClientTest : public ::testing::Test {
 protected:
  std::string UploadModel(DynamicClient& client, const std::string& bytes) {
    Sha256 hash;
    hash.Update(std::string_view(bytes));
    const Digest digest = hash.Finish();
    const auto upload =
        client.CallOne("ArtifactService", "CreateUpload",
                       absl::StrFormat(R"({"sha256": "%s", "size_bytes": %d, "kind": "MODEL"})",
                                       Base64(std::string(digest.begin(), digest.end())), bytes.size()));
    std::vector<std::string> frames = {absl::StrFormat(R"({"header": {"upload": "%s"}})", Text(*upload, "name"))};
    constexpr size_t kFrame = 256 << 10;
    for (size_t at = 0; at < bytes.size(); at += kFrame) {
      frames.push_back(absl::StrFormat(R"({"data": "%s"})", Base64(bytes.substr(at, kFrame))));
    }
    return Text(*client.Call("ArtifactService", "UploadArtifact", frames).at(0), "name");
  }
  std::string Download(DynamicClient& client, const std::string& name) {
    std::string bytes;
    for (const auto& frame :
         client.Call("ArtifactService", "DownloadArtifact", {absl::StrFormat(R"({"name": "%s"})", name)})) {
      if (Has(*frame, "data")) bytes += Text(*frame, "data");
    }
    return bytes;
  }
  TempDir dir_;
};

TEST_F(ReflectionClientTest, OptimizesAModelWithoutGeneratedCode) {
  const char* bin_dir = getenv("LATHE_BIN_DIR");
  if (bin_dir == nullptr || !std::filesystem::exists(std::string(bin_dir) + "/lathe-server") ||
      !std::filesystem::exists(std::string(bin_dir) + "/lathe-executor")) {
    GTEST_SKIP() << "lathe-server and lathe-executor are not built: no LATHE_BIN_DIR";
  }
  std::ifstream file("examples/fashion_mnist/fashion_mnist.tflite", std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  const std::string model = content.str();
  ASSERT_FALSE(model.empty());
  ServerProgram server(bin_dir, dir_.path() + "/data");
  {
    DynamicClient client(server.address());
    const std::set<std::string> services = client.Services();
    for (const char* service : {"lathe.v1.JobService", "lathe.v1.ArtifactService", "lathe.v1.ModelService",
                                "lathe.v1.CatalogService", "grpc.health.v1.Health"}) {
      EXPECT_EQ(services.count(service), 1U) << service;
    }
    const std::string name = UploadModel(client, model);
    const auto job =
        client.CallOne("JobService", "SubmitJob",
                       absl::StrFormat(R"({"spec": {"optimize": {"model": "%s", "recipe": {"preset": "dynamic-range"},
                            "skip_benchmark": true}}})",
                                       name));
    const auto events =
        client.Call("JobService", "WatchJob", {absl::StrFormat(R"({"name": "%s"})", Text(*job, "name"))});
    ASSERT_GE(events.size(), 2U);
    EXPECT_TRUE(Has(*events.front(), "snapshot"));
    const pb::Message& ended = Sub(Sub(*events.back(), "state_change"), "job");
    ASSERT_FALSE(Has(ended, "error")) << ended.DebugString();
    const pb::Message& result = Sub(ended, "result");
    const pb::Message& output = result.GetReflection()->GetRepeatedMessage(result, &Field(result, "outputs"), 0);
    const std::string smaller = Download(client, Text(output, "artifact"));
    EXPECT_EQ("projects/default/artifacts/" + HexDigest(smaller), Text(output, "artifact"));
    EXPECT_LT(smaller.size(), model.size() / 2);
  }
  EXPECT_EQ(server.Stop(), 0);
}

}  // namespace
}  // namespace lathe
