// Only additive changes to lathe.v1 pass: what clients compiled against the released descriptor must go on working, in
// binary and in JSON. After a release: cp build/PRESET/gen/lathe_v1.binpb proto/released/lathe_v1.binpb.

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace lathe {
namespace {

using google::protobuf::DescriptorProto;
using google::protobuf::EnumDescriptorProto;
using google::protobuf::FieldDescriptorProto;
using google::protobuf::FileDescriptorSet;
using google::protobuf::ServiceDescriptorProto;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Everything of a descriptor set that a client may depend on, one line each, by its full name: the test is then a
// comparison of two maps, and a broken promise reads as its line.
using Surface = std::map<std::string, std::string>;

std::string OneofOf(const DescriptorProto& message, const FieldDescriptorProto& field) {
  if (!field.has_oneof_index()) return "";
  return field.proto3_optional() ? "optional" : "oneof " + message.oneof_decl(field.oneof_index()).name();
}

void AddEnum(const std::string& scope, const EnumDescriptorProto& type, Surface& surface) {
  const std::string name = scope + "." + type.name();
  surface["enum " + name] = "";
  for (const auto& value : type.value()) {
    surface["enum value " + name + "." + value.name()] = std::to_string(value.number());
  }
}

void AddMessage(const std::string& scope, const DescriptorProto& message, Surface& surface) {
  const std::string name = scope + "." + message.name();
  surface["message " + name] = "";
  for (const auto& field : message.field()) {
    // Name and number both count: the number is the wire, the name is JSON and recipe files.
    surface["field " + name + "." + field.name()] =
        std::to_string(field.number()) + " " + FieldDescriptorProto::Type_Name(field.type()) + " " +
        FieldDescriptorProto::Label_Name(field.label()) + " " + field.type_name() + " " + OneofOf(message, field);
  }
  for (const auto& type : message.enum_type()) AddEnum(name, type, surface);
  for (const auto& nested : message.nested_type()) AddMessage(name, nested, surface);
}

void AddService(const std::string& scope, const ServiceDescriptorProto& service, Surface& surface) {
  const std::string name = scope + "." + service.name();
  surface["service " + name] = "";
  for (const auto& method : service.method()) {
    surface["method " + name + "." + method.name()] =
        (method.client_streaming() ? "stream " : "") + method.input_type() + " -> " +
        (method.server_streaming() ? "stream " : "") + method.output_type();
  }
}

Surface SurfaceOf(const FileDescriptorSet& set) {
  Surface surface;
  for (const auto& file : set.file()) {
    for (const auto& message : file.message_type()) AddMessage(file.package(), message, surface);
    for (const auto& type : file.enum_type()) AddEnum(file.package(), type, surface);
    for (const auto& service : file.service()) AddService(file.package(), service, surface);
  }
  return surface;
}

std::vector<std::string> BrokenPromises(const FileDescriptorSet& released, const FileDescriptorSet& current) {
  const Surface now = SurfaceOf(current);
  std::vector<std::string> broken;
  for (const auto& [what, how] : SurfaceOf(released)) {
    const auto found = now.find(what);
    if (found == now.end()) {
      broken.push_back(what + ": was removed or renamed");
    } else if (found->second != how) {
      broken.push_back(what + ": was '" + how + "', is '" + found->second + "'");
    }
  }
  return broken;
}

FileDescriptorSet Read(const char* path) {
  FileDescriptorSet set;
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(set.ParseFromIstream(&file)) << path;
  return set;
}

TEST(ProtoCompatTest, OnlyAddsToTheReleasedApi) {
  const FileDescriptorSet released = Read(LATHE_API_RELEASED), current = Read(LATHE_API_DESCRIPTOR);
  ASSERT_GT(released.file_size(), 5);
  EXPECT_THAT(BrokenPromises(released, current), IsEmpty());
}

TEST(ProtoCompatTest, EveryEnumStartsUnspecified) {
  for (const auto& [what, how] : SurfaceOf(Read(LATHE_API_DESCRIPTOR))) {
    if (what.rfind("enum value ", 0) == 0 && how == "0") {
      EXPECT_THAT(what, HasSubstr("_UNSPECIFIED"));
    }
  }
}

// The check itself: what it must catch, and what it must let pass.
class BrokenPromisesTest : public ::testing::Test {
 protected:
  // The message lathe.v1.Job in a copy of the current API.
  std::vector<std::string> AfterChanging(const std::function<void(DescriptorProto&)>& change) {
    FileDescriptorSet changed = current_;
    for (auto& file : *changed.mutable_file()) {
      for (auto& message : *file.mutable_message_type()) {
        if (message.name() == "Job") change(message);
      }
    }
    return BrokenPromises(current_, changed);
  }
  const FileDescriptorSet current_ = Read(LATHE_API_DESCRIPTOR);
};

TEST_F(BrokenPromisesTest, CatchesRemovedField) {
  EXPECT_THAT(AfterChanging([](DescriptorProto& job) { job.mutable_field()->DeleteSubrange(1, 1); }),
              ElementsAre(HasSubstr("field lathe.v1.Job.state: was removed")));
}

TEST_F(BrokenPromisesTest, CatchesRenamedField) {
  EXPECT_THAT(AfterChanging([](DescriptorProto& job) { job.mutable_field(0)->set_name("title"); }),
              ElementsAre(HasSubstr("field lathe.v1.Job.name: was removed or renamed")));
}

TEST_F(BrokenPromisesTest, CatchesChangedNumber) {
  EXPECT_THAT(AfterChanging([](DescriptorProto& job) { job.mutable_field(0)->set_number(77); }),
              ElementsAre(HasSubstr("field lathe.v1.Job.name: was '1 ")));
}

TEST_F(BrokenPromisesTest, CatchesChangedType) {
  EXPECT_THAT(
      AfterChanging([](DescriptorProto& job) { job.mutable_field(0)->set_type(FieldDescriptorProto::TYPE_BYTES); }),
      ElementsAre(HasSubstr("TYPE_BYTES")));
}

TEST_F(BrokenPromisesTest, CatchesChangedLabel) {
  EXPECT_THAT(AfterChanging(
                  [](DescriptorProto& job) { job.mutable_field(0)->set_label(FieldDescriptorProto::LABEL_REPEATED); }),
              ElementsAre(HasSubstr("LABEL_REPEATED")));
}

TEST_F(BrokenPromisesTest, CatchesRenumberedEnumValue) {
  EXPECT_THAT(AfterChanging([](DescriptorProto& job) { job.mutable_enum_type(0)->mutable_value(1)->set_number(99); }),
              ElementsAre(HasSubstr("enum value lathe.v1.Job.State.QUEUED")));
}

TEST_F(BrokenPromisesTest, CatchesRemovedMethod) {
  FileDescriptorSet changed = current_;
  for (auto& file : *changed.mutable_file()) {
    for (auto& service : *file.mutable_service()) {
      if (service.name() == "JobService") service.mutable_method()->DeleteSubrange(0, 1);
    }
  }
  EXPECT_THAT(BrokenPromises(current_, changed), ElementsAre(HasSubstr("method lathe.v1.JobService.SubmitJob")));
}

TEST_F(BrokenPromisesTest, LetsAdditionsPass) {
  EXPECT_THAT(AfterChanging([](DescriptorProto& job) {
                auto* field = job.add_field();
                field->set_name("a_new_one");
                field->set_number(500);
                field->set_type(FieldDescriptorProto::TYPE_STRING);
                job.add_nested_type()->set_name("New");
              }),
              IsEmpty());
}

}  // namespace
}  // namespace lathe
