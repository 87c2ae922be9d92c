#pragma once

#include <stddef.h>
#include <stdint.h>

// A thin C face on OpenCV, libjpeg-turbo and ZXing. Every image is 8-bit grey in memory of the caller. No function keeps
// a pointer after it returns, and none lets a C++ exception out.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint8_t *data;
    int32_t width;
    int32_t height;
    // Bytes from one row to the next.
    int32_t stride;
} VisionImage;

typedef enum {
    VisionOK = 0,
    // The bytes are no image of the expected kind.
    VisionUnreadable = 1,
    // Some pixels could not be decoded.
    VisionDamaged = 2,
    // An argument does not fit (a size, a scale) or memory ran out.
    VisionRefused = 3,
} VisionStatus;

// A dark or light connected area as its outer contour sees it. Lengths are pixels, the angle degrees.
typedef struct {
    float centreX, centreY;
    // Sides and turn of the smallest turned rectangle around it.
    float width, height, angle;
    int32_t left, top, boundsWidth, boundsHeight;
    // Area inside the outer contour, and of the holes in it.
    float area, holeArea;
} VisionBlob;

// The pixels a connected area spans.
typedef struct {
    int32_t left, top, width, height;
} VisionBounds;

// Pins the libraries to the calling thread. To be called once before anything else.
void vision_prepare(void);

// Decodes a JPEG to grey at the size of `target`, which must be the image's size divided by 1, 2, 4 or 8 (rounded up).
// EXIF orientation is not applied. `damage` receives what the decoder complained about.
VisionStatus vision_decode_jpeg(
    const uint8_t *bytes, size_t count, VisionImage target, char *damage, size_t damageCapacity);

// Decodes a PNG, TIFF or any JPEG to grey at the size of `target`, which must be the image's own size (orientation
// tags are not applied).
VisionStatus vision_decode(const uint8_t *bytes, size_t count, VisionImage target);

// Turns an image by quarter turns clockwise (1 to 3), mirroring it left to right first if asked. `target` has the
// turned size.
VisionStatus vision_turn(VisionImage source, VisionImage target, int32_t quarterTurns, int32_t mirror);

// Shrinks (area average) or enlarges (cubic) to the size of `target`.
VisionStatus vision_resize(VisionImage source, VisionImage target);

// Writes a JPEG of an image. Returns its bytes, or -1 when it does not fit into `capacity`.
int64_t vision_encode_jpeg(VisionImage image, int32_t quality, uint8_t *bytes, size_t capacity);

VisionStatus vision_gaussian_blur(VisionImage source, VisionImage target, int32_t width, int32_t height, double sigma);
// Largest (lightest) value over a `width`×`height` window, then the smallest: removes thin dark print.
VisionStatus vision_close(VisionImage source, VisionImage target, int32_t width, int32_t height);

// Finds areas of 255 whose bounds are at least `minimumSide` and at most `maximumSide` on both sides. Returns their
// number, at most `capacity`, or -1.
int32_t vision_find_blobs(
    VisionImage binary, int32_t minimumSide, int32_t maximumSide, VisionBlob *blobs, int32_t capacity);

// Finds areas of 255 and tells only their bounds. Returns their number, at most `capacity`, or -1.
int32_t vision_find_bounds(VisionImage binary, VisionBounds *bounds, int32_t capacity);

// The largest four-sided convex outlines of 255-areas, as corners x0 y0 … x3 y3 in order of the contour, 8 floats each.
// Returns their number, at most `capacity`, or -1.
int32_t vision_find_quadrilaterals(VisionImage binary, double minimumArea, float *corners, int32_t capacity);

// Normalised correlation of `pattern` at every position; writes the best position (top left) and returns its score,
// or -2 when it does not fit.
double vision_best_match(VisionImage image, VisionImage pattern, int32_t *x, int32_t *y);

// Reads one QR code. Writes its text (UTF-8, cut at capacity) and its four corners in the order top left, top right,
// bottom right, bottom left of the code itself. Returns the length of the text, or -1 when none is found.
int32_t vision_read_qr(VisionImage image, int32_t thorough, char *text, int32_t capacity, float corners[8]);

#ifdef __cplusplus
}
#endif
