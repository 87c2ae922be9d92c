import CVision
package import Domain

extension PageReader {
    /// Half the width and height, in raster pixels, that bubbles of foreign sheets are brought to.
    private static let foreignReach = 13.0

    /// Reads a sheet that an OMRChecker template describes.
    /// - Throws: `ReadingFailure`; `.noSheetFound` when a marker or the print is not found.
    package func read(_ bytes: [UInt8], template: OMRCheckerTemplate) throws(ReadingFailure) -> PageReading {
        let start = ContinuousClock.now
        _ = try decoder.decode(bytes, page: 0, into: source, sufficientSide: 2600)
        try locator.prepare(source)
        try locator.requireInk()
        var flags: [PageFlag] = []
        var toSource = Homography.scale(
            Double(source.width) / template.width, Double(source.height) / template.height,
            thenMove: Point(x: -0.5, y: -0.5))
        let corners = [(0, 0), (template.width, 0), (template.width, template.height), (0, template.height)].map {
            Point(x: $0.0, y: $0.1)
        }
        for step in template.steps {
            switch step {
            case .cropPage:
                if let outline = locator.outline(),
                    let map = Homography(from: corners, to: outline.map(locator.full))
                {
                    toSource = map
                } else {
                    flags.append(.cornersGuessed)
                }
            case .cropOnMarkers(let crop):
                let middles = try MarkerFinder().find(crop, in: source, sheet: corners.map { toSource($0) })
                guard let map = Homography(from: corners, to: middles) else {
                    throw ReadingFailure(.noSheetFound, "the markers do not form a page")
                }
                toSource = map
            }
        }
        let groups = try flatten(template, toSource: toSource)
        var reader = BubbleFieldReader(thresholds: configuration.bubbles)
        reader.isForeign = true
        let parts = reader.read(template.fields, groups: groups, on: raster)
        if (groups.map(\.printContrast).median ?? 0) < Self.leastPrintContrast { flags.append(.misaligned) }
        var fields: [String: FieldReading] = [:]
        for output in template.outputs {
            fields[output.name] = Self.joined(output.labels.compactMap { parts[$0] })
        }
        if fields.values.allSatisfy({ $0.flags.contains(.blank) }) { flags.append(.blankPage) }
        if flags.contains(.misaligned) {
            for name in fields.keys where fields[name]?.flags.contains(.uncertain) == false {
                fields[name]?.flags.append(.uncertain)
            }
        }
        return PageReading(
            page: 1, fields: fields, flags: flags, milliseconds: (ContinuousClock.now - start).milliseconds)
    }

    private func flatten(_ template: OMRCheckerTemplate, toSource: Homography) throws(ReadingFailure) -> [BubbleGroup] {
        let smallest = template.fields.flatMap(\.bubbles).map { min($0.width, $0.height) }.min() ?? 20
        let affordable = (12_000_000 / (template.width * template.height)).squareRoot()
        let scale = min(2 * Self.foreignReach / smallest, affordable)
        raster.flatten(source, toSource: toSource, width: template.width, height: template.height, scale: scale)
        raster.setBlack(nil)
        var groups = BubbleFieldReader.groups(of: template.fields, on: raster)
        for index in groups.indices { groups[index].block = template.blocks[groups[index].field] }
        let reach = min(template.safeShift * 0.9, smallest) * scale
        let style = PrintAlignment(reach: max(3, Int(reach)), styles: OutlineProbe.Style.foreign)
            .align(&groups, on: raster)
        // The template's size is loose; what was found is what is measured.
        for index in groups.indices {
            for spot in groups[index].spots.indices {
                groups[index].spots[spot].reach = groups[index].spots[spot].reach * style.size
            }
        }
        raster.setBlack(blackLevel(of: groups))
        return groups
    }

    /// Brightness of the darkest bubbles: there is no other print known to be black.
    private func blackLevel(of groups: [BubbleGroup]) -> Double? {
        let levels = groups.flatMap { group in
            group.spots.map { spot in
                raster.smooth.sample(spot.centre.x + group.shift.x, spot.centre.y + group.shift.y)
            }
        }
        return levels.quantile(0.02)
    }

    /// Several labels as one value. A label left blank between others makes it doubtful.
    private static func joined(_ parts: [FieldReading]) -> FieldReading {
        let isBlank = parts.map { $0.flags == [.blank] }
        guard let first = isBlank.firstIndex(of: false), let last = isBlank.lastIndex(of: false) else {
            return FieldReading(value: "", confidence: parts.map(\.confidence).min() ?? 0, flags: [.blank])
        }
        var flags = parts.flatMap(\.flags).filter { $0 != .blank }
        if isBlank[first...last].contains(true) { flags.append(.uncertain) }
        return FieldReading(
            value: parts.map(\.value).joined(), confidence: parts.map(\.confidence).min() ?? 0, flags: flags.unique)
    }
}
