import Domain

/// Questions of one kind that stand under one heading.
struct SheetSection {
    enum Kind: Hashable {
        case singleChoice
        case multipleChoice
        case trueFalse
        case digits
        case written
        case open

        init(_ question: Question) {
            self =
                switch question.kind {
                case .singleChoice: .singleChoice
                case .multipleChoice: .multipleChoice
                case .trueFalse: .trueFalse
                case .numeric: question.digits == nil ? .written : .digits
                case .shortText: .written
                case .open: .open
                }
        }
    }

    var kind: Kind
    var questions: [Question]

    /// The sections of an exam: runs of one kind in the exam's order, or, when kinds alternate so often that runs
    /// would waste most of the paper, one section a kind in the order of their first questions.
    static func sections(of questions: [Question]) -> [SheetSection] {
        let runs = grouped(questions) { sections, kind in
            sections.last?.kind == kind ? sections.count - 1 : nil
        }
        if runs.count <= 6 || runs.count * 4 <= questions.count { return runs }
        return grouped(questions) { sections, kind in sections.firstIndex { $0.kind == kind } }
    }

    private static func grouped(
        _ questions: [Question], into index: ([SheetSection], Kind) -> Int?
    ) -> [SheetSection] {
        var sections: [SheetSection] = []
        for question in questions {
            let kind = Kind(question)
            if let index = index(sections, kind) {
                sections[index].questions.append(question)
            } else {
                sections.append(SheetSection(kind: kind, questions: [question]))
            }
        }
        return sections
    }

    /// `一、单选题 Single choice`
    func heading(index: Int) -> String {
        let name =
            switch kind {
            case .singleChoice: "单项选择题 Single choice"
            case .multipleChoice: "多项选择题 Multiple choice（可多选 several may be right）"
            case .trueFalse: "判断题 True or false（T 对 true，F 错 false）"
            case .digits: "数字题 Numbers（上方写数字，下方填涂 write above, fill in below）"
            case .written: "填空题 Short answers（写在框内 write inside the box）"
            case .open: "解答题 Open answers（写在框内 write inside the box）"
            }
        let numerals = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"]
        return numerals.indices.contains(index) ? "\(numerals[index])、\(name)" : "\(index + 1). \(name)"
    }

    /// `每题 2 分 · 2 points each`, or the sum when the points differ.
    var pointsNote: String {
        let points = questions.map(\.points)
        let first = points.first ?? 0
        if points.count > 1, points.allSatisfy({ $0 == first }) {
            return "每题 \(first.pointsNote) each"
        }
        return "共 \(Score.sum(points).pointsNote)"
    }
}

extension Double {
    /// `2 分 2 points`
    var pointsNote: String { "\(pointsText) 分 \(pointsText) \(self == 1 ? "point" : "points")" }

    /// Points without needless zeros: `2`, `2.5`.
    var pointsText: String {
        let hundredths = Int((self * 100).rounded())
        let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return "\(whole)" }
        return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }
}
