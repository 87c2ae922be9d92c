#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

// The areas of non-zero pixels that touch each other, corners included, as runs along the rows. Quicker than tracing the
// contour of every speck of a page when only few areas are of interest.
class ConnectedAreas {
public:
    struct Bounds {
        int32_t left, top, right, bottom;

        int32_t width() const { return right - left + 1; }
        int32_t height() const { return bottom - top + 1; }
    };

    ConnectedAreas(const uint8_t *pixels, int32_t width, int32_t height, size_t stride) {
        size_t above = 0;
        size_t current = 0;
        for (int32_t y = 0; y < height; ++y) {
            const size_t next = runs.size();
            findRuns(pixels + size_t(y) * stride, width, y);
            above = current;
            current = next;
            join(above, current);
        }
        for (size_t i = 0; i < runs.size(); ++i) {
            const int32_t root = rootOf(int32_t(i));
            runs[i].root = root;
            Bounds &all = spans[size_t(root)];
            const Run &run = runs[i];
            all.left = std::min(all.left, run.left);
            all.right = std::max(all.right, run.right);
            all.bottom = std::max(all.bottom, run.y);
        }
    }

    // Areas whose bounds are within the limits on both sides, from top to bottom.
    std::vector<int32_t> between(int32_t minimumSide, int32_t maximumSide) const {
        std::vector<int32_t> found;
        for (size_t i = 0; i < runs.size(); ++i) {
            if (runs[i].root != int32_t(i)) continue;
            const int32_t width = spans[i].width();
            const int32_t height = spans[i].height();
            if (std::min(width, height) >= minimumSide && std::max(width, height) <= maximumSide) {
                found.push_back(int32_t(i));
            }
        }
        return found;
    }

    const Bounds &bounds(int32_t area) const { return spans[size_t(area)]; }

    // Draws an area alone as 255; `target` is where the upper left of its bounds goes.
    void draw(int32_t area, uint8_t *target, size_t stride) const {
        const Bounds &all = spans[size_t(area)];
        // An area is named after its first run, and runs are in order of their rows.
        for (size_t i = size_t(area); i < runs.size() && runs[i].y <= all.bottom; ++i) {
            const Run &run = runs[i];
            if (run.root != area) continue;
            memset(target + size_t(run.y - all.top) * stride + size_t(run.left - all.left), 255,
                   size_t(run.right - run.left + 1));
        }
    }

private:
    struct Run {
        int32_t left, right, y;
        // Another run of the same area, never a later one.
        int32_t root;
    };

    std::vector<Run> runs;
    std::vector<Bounds> spans;

    void findRuns(const uint8_t *line, int32_t width, int32_t y) {
        int32_t x = 0;
        while (x < width) {
            // Most of a page is empty: eight pixels at a time.
            while (x + 8 <= width) {
                uint64_t eight;
                memcpy(&eight, line + x, 8);
                if (eight != 0) break;
                x += 8;
            }
            while (x < width && line[x] == 0) ++x;
            if (x >= width) return;
            const int32_t left = x;
            while (x < width && line[x] != 0) ++x;
            runs.push_back(Run{left, x - 1, y, int32_t(runs.size())});
            spans.push_back(Bounds{left, y, x - 1, y});
        }
    }

    // Joins the runs from `current` on with those of the row above that they touch.
    void join(size_t above, size_t current) {
        size_t upper = above;
        for (size_t lower = current; lower < runs.size(); ++lower) {
            while (upper < current && runs[upper].right < runs[lower].left - 1) ++upper;
            for (size_t i = upper; i < current && runs[i].left <= runs[lower].right + 1; ++i) {
                const int32_t a = rootOf(int32_t(i));
                const int32_t b = rootOf(int32_t(lower));
                runs[size_t(std::max(a, b))].root = std::min(a, b);
            }
        }
    }

    int32_t rootOf(int32_t run) {
        while (runs[size_t(run)].root != run) {
            int32_t &root = runs[size_t(run)].root;
            root = runs[size_t(root)].root;
            run = root;
        }
        return run;
    }
};
