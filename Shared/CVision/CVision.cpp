#define ZX_USE_UTF8 1
#include "CVision.h"

#include "ConnectedAreas.hpp"

#include <ReadBarcode.h>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <turbojpeg.h>
#include <vector>

namespace {
bool isUsable(const VisionImage &image) {
    return image.data != nullptr && image.width > 0 && image.height > 0 && image.stride >= image.width;
}

cv::Mat matrixOf(const VisionImage &image) {
    return cv::Mat(image.height, image.width, CV_8UC1, image.data, size_t(image.stride));
}

// Runs `body` on both images as matrices; the result must land in the target's own memory.
template <typename Body> VisionStatus transform(VisionImage source, VisionImage target, Body body) {
    if (!isUsable(source) || !isUsable(target)) return VisionRefused;
    try {
        const cv::Mat from = matrixOf(source);
        cv::Mat to = matrixOf(target);
        body(from, to);
        return to.data == target.data ? VisionOK : VisionRefused;
    } catch (...) {
        return VisionRefused;
    }
}
}  // namespace

void vision_prepare(void) {
    try {
        cv::setNumThreads(1);
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    } catch (...) {
    }
}

VisionStatus vision_decode_jpeg(
    const uint8_t *bytes, size_t count, VisionImage target, char *damage, size_t damageCapacity) {
    if (!isUsable(target) || bytes == nullptr) return VisionRefused;
    tjhandle decoder = tjInitDecompress();
    if (decoder == nullptr) return VisionRefused;
    const int failed = tjDecompress2(
        decoder, bytes, static_cast<unsigned long>(count), target.data, target.width, target.stride, target.height,
        TJPF_GRAY, 0);
    VisionStatus status = VisionOK;
    if (failed != 0) {
        const char *message = tjGetErrorStr2(decoder);
        if (damage != nullptr && damageCapacity > 0) snprintf(damage, damageCapacity, "%s", message);
        // Bytes between segments are left by some scanners and cost no pixel.
        if (tjGetErrorCode(decoder) != TJERR_WARNING) {
            status = VisionUnreadable;
        } else if (strstr(message, "extraneous bytes before marker") == nullptr) {
            status = VisionDamaged;
        }
    }
    tjDestroy(decoder);
    return status;
}

VisionStatus vision_decode(const uint8_t *bytes, size_t count, VisionImage target) {
    if (!isUsable(target) || bytes == nullptr || count == 0 || count > INT32_MAX) return VisionRefused;
    try {
        const cv::Mat encoded(1, int(count), CV_8UC1, const_cast<uint8_t *>(bytes));
        cv::Mat decoded = matrixOf(target);
        const cv::Mat result =
            cv::imdecode(encoded, cv::IMREAD_GRAYSCALE | cv::IMREAD_IGNORE_ORIENTATION, &decoded);
        if (result.empty()) return VisionDamaged;
        if (result.cols != target.width || result.rows != target.height) return VisionRefused;
        if (result.data != target.data) {
            cv::Mat to = matrixOf(target);
            result.copyTo(to);
        }
        return VisionOK;
    } catch (...) {
        return VisionDamaged;
    }
}

VisionStatus vision_turn(VisionImage source, VisionImage target, int32_t quarterTurns, int32_t mirror) {
    return transform(source, target, [&](const cv::Mat &from, cv::Mat &to) {
        cv::Mat upright = from;
        if (mirror) cv::flip(from, upright, 1);
        switch (quarterTurns & 3) {
        case 1: cv::rotate(upright, to, cv::ROTATE_90_CLOCKWISE); break;
        case 2: cv::rotate(upright, to, cv::ROTATE_180); break;
        case 3: cv::rotate(upright, to, cv::ROTATE_90_COUNTERCLOCKWISE); break;
        default: upright.copyTo(to);
        }
    });
}

VisionStatus vision_resize(VisionImage source, VisionImage target) {
    return transform(source, target, [&](const cv::Mat &from, cv::Mat &to) {
        const bool shrinks = to.cols <= from.cols && to.rows <= from.rows;
        cv::resize(from, to, to.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_CUBIC);
    });
}

int64_t vision_encode_jpeg(VisionImage image, int32_t quality, uint8_t *bytes, size_t capacity) {
    if (!isUsable(image) || bytes == nullptr) return -1;
    try {
        std::vector<uchar> encoded;
        if (!cv::imencode(".jpg", matrixOf(image), encoded, {cv::IMWRITE_JPEG_QUALITY, quality})) return -1;
        if (encoded.size() > capacity) return -1;
        std::memcpy(bytes, encoded.data(), encoded.size());
        return int64_t(encoded.size());
    } catch (...) {
        return -1;
    }
}

VisionStatus vision_gaussian_blur(
    VisionImage source, VisionImage target, int32_t width, int32_t height, double sigma) {
    return transform(source, target, [&](const cv::Mat &from, cv::Mat &to) {
        cv::GaussianBlur(from, to, cv::Size(width, height), sigma);
    });
}

VisionStatus vision_close(VisionImage source, VisionImage target, int32_t width, int32_t height) {
    return transform(source, target, [&](const cv::Mat &from, cv::Mat &to) {
        cv::morphologyEx(
            from, to, cv::MORPH_CLOSE, cv::getStructuringElement(cv::MORPH_RECT, cv::Size(width, height)));
    });
}

int32_t vision_find_blobs(
    VisionImage binary, int32_t minimumSide, int32_t maximumSide, VisionBlob *blobs, int32_t capacity) {
    if (!isUsable(binary) || blobs == nullptr) return -1;
    try {
        ConnectedAreas areas(binary.data, binary.width, binary.height, size_t(binary.stride));
        cv::Mat alone;
        std::vector<std::vector<cv::Point>> contours;
        std::vector<cv::Vec4i> hierarchy;
        int32_t found = 0;
        for (int32_t area : areas.between(minimumSide, maximumSide)) {
            if (found == capacity) break;
            const ConnectedAreas::Bounds &bounds = areas.bounds(area);
            // With a rim, so that the contour does not run along the matrix's edge.
            alone = cv::Mat::zeros(bounds.height() + 2, bounds.width() + 2, CV_8UC1);
            areas.draw(area, alone.ptr(1) + 1, alone.step);
            const cv::Point origin(bounds.left - 1, bounds.top - 1);
            cv::findContours(alone, contours, hierarchy, cv::RETR_CCOMP, cv::CHAIN_APPROX_SIMPLE, origin);
            double holes = 0;
            for (size_t i = 0; i < contours.size(); ++i) {
                if (hierarchy[i][3] >= 0) holes += cv::contourArea(contours[i]);
            }
            for (size_t i = 0; i < contours.size(); ++i) {
                if (hierarchy[i][3] >= 0) continue;
                const cv::RotatedRect turned = cv::minAreaRect(contours[i]);
                blobs[found++] = VisionBlob{
                    turned.center.x, turned.center.y, turned.size.width, turned.size.height, turned.angle,
                    bounds.left, bounds.top, bounds.width(), bounds.height(),
                    float(cv::contourArea(contours[i])), float(holes)};
                break;
            }
        }
        return found;
    } catch (...) {
        return -1;
    }
}

int32_t vision_find_bounds(VisionImage binary, VisionBounds *bounds, int32_t capacity) {
    if (!isUsable(binary) || bounds == nullptr) return -1;
    try {
        ConnectedAreas areas(binary.data, binary.width, binary.height, size_t(binary.stride));
        int32_t found = 0;
        for (int32_t area : areas.between(1, INT32_MAX)) {
            if (found == capacity) break;
            const ConnectedAreas::Bounds &place = areas.bounds(area);
            bounds[found++] = VisionBounds{place.left, place.top, place.width(), place.height()};
        }
        return found;
    } catch (...) {
        return -1;
    }
}

int32_t vision_find_quadrilaterals(VisionImage binary, double minimumArea, float *corners, int32_t capacity) {
    if (!isUsable(binary) || corners == nullptr) return -1;
    try {
        std::vector<std::vector<cv::Point>> contours;
        cv::findContours(matrixOf(binary), contours, cv::RETR_LIST, cv::CHAIN_APPROX_SIMPLE);
        std::vector<std::pair<double, std::vector<cv::Point>>> found;
        for (const auto &contour : contours) {
            if (contour.size() < 4) continue;
            std::vector<cv::Point> hull;
            cv::convexHull(contour, hull);
            const double area = cv::contourArea(hull);
            if (area < minimumArea) continue;
            std::vector<cv::Point> outline;
            cv::approxPolyDP(hull, outline, 0.025 * cv::arcLength(hull, true), true);
            if (outline.size() == 4 && cv::isContourConvex(outline)) found.emplace_back(area, outline);
        }
        std::sort(found.begin(), found.end(), [](const auto &a, const auto &b) { return a.first > b.first; });
        int32_t count = 0;
        for (const auto &entry : found) {
            if (count == capacity) break;
            for (int corner = 0; corner < 4; ++corner) {
                corners[count * 8 + corner * 2] = float(entry.second[corner].x);
                corners[count * 8 + corner * 2 + 1] = float(entry.second[corner].y);
            }
            ++count;
        }
        return count;
    } catch (...) {
        return -1;
    }
}

double vision_best_match(VisionImage image, VisionImage pattern, int32_t *x, int32_t *y) {
    if (!isUsable(image) || !isUsable(pattern)) return -2;
    if (pattern.width > image.width || pattern.height > image.height) return -2;
    try {
        cv::Mat scores;
        cv::matchTemplate(matrixOf(image), matrixOf(pattern), scores, cv::TM_CCOEFF_NORMED);
        double best = 0;
        cv::Point place;
        cv::minMaxLoc(scores, nullptr, &best, nullptr, &place);
        *x = place.x;
        *y = place.y;
        return best;
    } catch (...) {
        return -2;
    }
}

int32_t vision_read_qr(VisionImage image, int32_t thorough, char *text, int32_t capacity, float corners[8]) {
    if (!isUsable(image) || text == nullptr || capacity <= 0) return -1;
    try {
        const ZXing::ImageView view(image.data, image.width, image.height, ZXing::ImageFormat::Lum, image.stride);
        ZXing::DecodeHints hints;
        hints.setFormats(ZXing::BarcodeFormat::QRCode);
        hints.setTryHarder(thorough != 0);
        hints.setTryRotate(false);  // QR codes are found at any turn
        hints.setTryDownscale(thorough != 0);
        hints.setMaxNumberOfSymbols(1);
        const ZXing::Result result = ZXing::ReadBarcode(view, hints);
        if (!result.isValid()) return -1;
        const std::string content = result.text();
        const int32_t length = std::min<int32_t>(int32_t(content.size()), capacity);
        memcpy(text, content.data(), size_t(length));
        for (int corner = 0; corner < 4; ++corner) {
            corners[corner * 2] = float(result.position()[corner].x);
            corners[corner * 2 + 1] = float(result.position()[corner].y);
        }
        return length;
    } catch (...) {
        return -1;
    }
}
