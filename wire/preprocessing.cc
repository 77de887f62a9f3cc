#include "wire/preprocessing.h"

namespace lathe {

namespace {

std::optional<ImageResize::Method> MethodFromProto(v1::Preprocessing::Resize::Method method) {
  switch (method) {
    case v1::Preprocessing::Resize::BILINEAR:
      return ImageResize::Method::kBilinear;
    case v1::Preprocessing::Resize::AREA:
      return ImageResize::Method::kArea;
    case v1::Preprocessing::Resize::ANTIALIAS:
      return ImageResize::Method::kAntialias;
    default:
      return std::nullopt;
  }
}

v1::Preprocessing::Resize::Method MethodToProto(ImageResize::Method method) {
  switch (method) {
    case ImageResize::Method::kArea:
      return v1::Preprocessing::Resize::AREA;
    case ImageResize::Method::kAntialias:
      return v1::Preprocessing::Resize::ANTIALIAS;
    default:
      return v1::Preprocessing::Resize::BILINEAR;
  }
}

std::optional<Preprocessing::Channels> ChannelsFromProto(v1::Preprocessing::Channels channels) {
  switch (channels) {
    case v1::Preprocessing::RGB:
      return Preprocessing::Channels::kRgb;
    case v1::Preprocessing::BGR:
      return Preprocessing::Channels::kBgr;
    case v1::Preprocessing::GRAY:
      return Preprocessing::Channels::kGray;
    default:
      return std::nullopt;
  }
}

v1::Preprocessing::Channels ChannelsToProto(Preprocessing::Channels channels) {
  switch (channels) {
    case Preprocessing::Channels::kBgr:
      return v1::Preprocessing::BGR;
    case Preprocessing::Channels::kGray:
      return v1::Preprocessing::GRAY;
    default:
      return v1::Preprocessing::RGB;
  }
}

}  // namespace

Preprocessing PreprocessingFromProto(const v1::Preprocessing& proto) {
  Preprocessing preprocessing;
  if (proto.has_scale()) preprocessing.scale = proto.scale();
  if (proto.has_mean()) preprocessing.mean = proto.mean();
  if (proto.has_resize()) {
    const v1::Preprocessing::Resize& resize = proto.resize();
    preprocessing.resize =
        ImageResize{resize.height(), resize.width(), resize.shorter_side(), MethodFromProto(resize.method())};
  }
  if (proto.has_crop()) preprocessing.crop = ImageCrop{proto.crop().height(), proto.crop().width()};
  preprocessing.channels = ChannelsFromProto(proto.channels());
  preprocessing.channel_mean.assign(proto.channel_mean().begin(), proto.channel_mean().end());
  preprocessing.channel_scale.assign(proto.channel_scale().begin(), proto.channel_scale().end());
  return preprocessing;
}

v1::Preprocessing PreprocessingToProto(const Preprocessing& preprocessing) {
  v1::Preprocessing proto;
  if (preprocessing.scale) proto.set_scale(*preprocessing.scale);
  if (preprocessing.mean) proto.set_mean(*preprocessing.mean);
  if (preprocessing.resize) {
    v1::Preprocessing::Resize& resize = *proto.mutable_resize();
    resize.set_height(preprocessing.resize->height);
    resize.set_width(preprocessing.resize->width);
    resize.set_shorter_side(preprocessing.resize->shorter_side);
    if (preprocessing.resize->method) resize.set_method(MethodToProto(*preprocessing.resize->method));
  }
  if (preprocessing.crop) {
    proto.mutable_crop()->set_height(preprocessing.crop->height);
    proto.mutable_crop()->set_width(preprocessing.crop->width);
  }
  if (preprocessing.channels) proto.set_channels(ChannelsToProto(*preprocessing.channels));
  for (double mean : preprocessing.channel_mean) proto.add_channel_mean(mean);
  for (double scale : preprocessing.channel_scale) proto.add_channel_scale(scale);
  return proto;
}

}  // namespace lathe
