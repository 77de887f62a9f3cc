#include "optimizer/recipe/preprocessing.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

namespace lathe {

namespace {

class Checker {
 public:
  explicit Checker(ViolationList& violations) : violations_(violations) {}

  void Check(const Preprocessing& p) {
    if (p.scale && (!std::isfinite(*p.scale) || *p.scale == 0)) Add("scale", "must be finite and not 0");
    if (p.mean && !std::isfinite(*p.mean)) Add("mean", "must be finite");
    if (p.resize) CheckResize(*p.resize);
    if (p.crop) {
      CheckSide("crop.height", p.crop->height);
      CheckSide("crop.width", p.crop->width);
    }
    CheckChannels("channel_scale", p.channel_scale);
    CheckChannels("channel_mean", p.channel_mean);
    if (std::any_of(p.channel_scale.begin(), p.channel_scale.end(), [](double scale) { return scale == 0; })) {
      Add("channel_scale", "must not be 0");
    }
    if (!p.channel_scale.empty() && !p.channel_mean.empty() && p.channel_scale.size() != p.channel_mean.size()) {
      Add("channel_mean", absl::StrFormat("has %d numbers, channel_scale has %d; one for each channel is needed",
                                          p.channel_mean.size(), p.channel_scale.size()));
    }
    if (!p.channel_scale.empty() && p.scale) Add("scale", "does not go with channel_scale; set one of the two");
    if (!p.channel_mean.empty() && p.mean) Add("mean", "does not go with channel_mean; set one of the two");
  }

 private:
  void Add(std::string_view field, std::string description) {
    violations_.Add(absl::StrFormat("preprocessing.%s", field), std::move(description));
  }

  void CheckSide(std::string_view field, uint32_t pixels) {
    if (pixels >= 1 && pixels <= kImageSideMax) return;
    Add(field, absl::StrFormat("is %d pixels; 1 to %d are allowed", pixels, kImageSideMax));
  }

  void CheckResize(const ImageResize& resize) {
    if (resize.shorter_side != 0) {
      CheckSide("resize.shorter_side", resize.shorter_side);
      if (resize.height == 0 && resize.width == 0) return;
      return Add("resize", "give height and width, or shorter_side, not both");
    }
    CheckSide("resize.height", resize.height);
    CheckSide("resize.width", resize.width);
  }

  void CheckChannels(std::string_view field, const std::vector<double>& values) {
    if (values.size() > 4) Add(field, absl::StrFormat("has %d numbers; images have at most 4 channels", values.size()));
    if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) {
      Add(field, "must be finite");
    }
  }

  ViolationList& violations_;
};

template <typename Field>
void Override(const Field& over, Field* base) {
  if (over) *base = over;
}

}  // namespace

bool Preprocessing::ScalesIntegers() const { return scale || mean || !channel_mean.empty() || !channel_scale.empty(); }

Preprocessing MergePreprocessing(const Preprocessing& base, const Preprocessing& over) {
  Preprocessing merged = base;
  // How integers become real numbers is one setting: a mean for each channel must not meet another scale for all.
  if (over.ScalesIntegers() && (!over.channel_scale.empty() || !over.channel_mean.empty() ||
                                !base.channel_scale.empty() || !base.channel_mean.empty())) {
    merged.scale = merged.mean = std::nullopt;
    merged.channel_scale = over.channel_scale;
    merged.channel_mean = over.channel_mean;
  }
  Override(over.scale, &merged.scale);
  Override(over.mean, &merged.mean);
  Override(over.resize, &merged.resize);
  Override(over.crop, &merged.crop);
  Override(over.channels, &merged.channels);
  return merged;
}

void CheckPreprocessing(const Preprocessing& preprocessing, ViolationList& violations) {
  Checker(violations).Check(preprocessing);
}

}  // namespace lathe
